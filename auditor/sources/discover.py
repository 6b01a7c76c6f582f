"""What lies in a repository: which of its files are supervisor configurations, cron tables, units, env files and apps.

By name first, so that most files are never opened; by content then, because a name proves nothing.
"""

from __future__ import annotations

import re

import msgspec

from auditor.dialects.dockerfile import is_dockerfile
from auditor.errors import Unreadable
from auditor.facts.site import Unread
from auditor.sources.crontab import looks_like_crontab
from auditor.sources.repository.ansible import is_variable_file
from auditor.sources.repository.compose import is_compose
from auditor.sources.tree import Tree

MAX_LOOK = 512 * 1024
"""Larger files are no configuration; they are not opened to see whether they are."""

_SECTION = re.compile(rb"^[ \t]*\[(?:program|eventlistener|fcgi-program|group):|^[ \t]*\[supervisord\]", re.MULTILINE)
_CONF_NAME = re.compile(
    r"(?:\.(?:conf|ini|cfg)(?:\.(?:j2|jinja2?|example|dist|default|sample|template|tmpl|tpl|erb|stub|mustache))?"
    r"|\.(?:j2|jinja2?|example|dist|sample|template|tmpl|tpl|erb|stub|blade\.php|mustache|supervisor))$"
)
_CONF_FOLDER = re.compile(r"supervis", re.IGNORECASE)
_CRON_NAME = re.compile(r"cron", re.IGNORECASE)
_UNIT_NAME = re.compile(r"\.(?:service|timer)(?:\.(?:j2|jinja2?|example|dist|template|tmpl|tpl|erb))?$")
_SCRIPT_NAME = re.compile(
    r"(?:^|/)(?:[\w.-]*(?:docker|container)file[\w.-]*|procfile[\w.-]*|[\w.-]*(?:entrypoint|start|init|run|boot|cron|schedul"
    r"|worker|queue|setup|install|deploy)[\w.-]*|makefile|justfile|taskfile[\w.-]*)$"
    r"|\.(?:sh|bash|ya?ml|toml|nix|hcl|tf|envsh|j2)$",
    re.IGNORECASE,
)
_ENVIRONMENT_NAME = re.compile(
    r"(?:docker|container)file|entrypoint|procfile|makefile|justfile|\.(?:sh|bash|envsh|ya?ml|toml|nix|hcl|tf|env)$",
    re.IGNORECASE,
)
SCHEDULER = re.compile(rb"schedule:(?:run|work)")
WORKER = re.compile(rb"queue:(?:work|listen)|artisan[\"', ]+horizon(?![:\w])")
_STARTS = re.compile(
    rb"schedule:(?:run|work)|queue:(?:work|listen)|artisan[\"', -]+\s*-?\s*horizon\b|supervisord|\[program:"
    rb"|\bsupervisorctl:|\bcron:|crontab\b|^kind:\s*[\"']?(?:ConfigMap|Secret)\b",
    re.MULTILINE,
)
_CHART = re.compile(rb"^kind:\s*(?:Deployment|StatefulSet|DaemonSet|CronJob|Job)\b", re.MULTILINE)
"""What a chart's template holds whose command stands in the chart's values."""
_YAML = re.compile(r"\.ya?ml(?:\.(?:example|dist|sample|tmpl|template|j2))?$")
_PLATFORM = re.compile(r"(?:^|/)(?:\.do/[\w.-]+|render|config/deploy(?:\.[\w-]+)?)\.ya?ml$")
"""Files by which a platform runs a whole app, whether or not they name artisan."""
_OTHER_PLATFORM = re.compile(
    r"(?:^|/)(?:fly(?:\.[\w-]+)?\.toml|[\w.-]*(?:task[-_]?def(?:inition)?|container[-_]?def(?:inition)?)[\w.-]*\.json)$",
    re.IGNORECASE,
)
"""The same in other forms than YAML."""
_NO_SCRIPTS = (
    ".tf",
    ".hcl",
    ".nix",
    ".toml",
    ".bat",
    ".cmd",
    ".ps1",
    ".py",
    ".rb",
    ".js",
    ".ts",
    ".php",
    ".json",
    ".md",
    ".txt",
    ".xml",
)
_TEXT_FOLDERS = re.compile(
    r"(?:^|/)(?:tests?|docs?|storage|public|resources/(?:js|css|lang|views)|lang)/", re.IGNORECASE
)


class Found(msgspec.Struct):
    """Paths by what they are."""

    confs: list[str] = []
    """Files that hold a supervisor section."""
    tables: list[str] = []
    """Cron tables."""
    units: list[str] = []
    """systemd services and timers that run artisan."""
    env_files: list[str] = []
    """Environment files, examples included."""
    apps: list[str] = []
    """Root folders of Laravel applications, "" for the tree's own root."""
    dockerfiles: list[str] = []
    """Dockerfiles."""
    composes: list[str] = []
    """Compose files."""
    manifests: list[str] = []
    """Other YAML that may start something: Kubernetes manifests, playbooks, platforms' specs."""
    variables: list[str] = []
    """Files of Ansible variables."""
    procfiles: list[str] = []
    """Procfiles."""
    platforms: list[str] = []
    """Files of other forms by which a platform runs an app: fly.toml, ECS task definitions."""
    scripts: list[str] = []
    """Scripts that start or install a worker, a scheduler or supervisord."""
    scheduler_hints: list[str] = []
    """Other files that mention the scheduler."""
    worker_hints: list[str] = []
    """Other files that mention a queue worker."""
    environment_hints: list[str] = []
    """Files that may set the environment of what runs here."""
    unread: list[Unread] = []
    """Files that should have been looked at and could not be."""


def discover(tree: Tree, folder: str = "") -> Found:
    """Look through a whole repository."""
    found = Found()
    apps: dict[str, None] = {}
    for path in tree.walk(folder):
        name = path.rpartition("/")[2]
        if name == "artisan" or path.endswith("config/queue.php"):
            apps.setdefault(path[: -len(name)].rstrip("/") if name == "artisan" else path[:-16].rstrip("/"))
        elif name == "composer.json":
            _composer(tree, path, apps)
        elif name == ".env" or name.startswith(".env.") or name.endswith(".env"):
            found.env_files.append(path)
            found.environment_hints.append(path)
        elif not (name.startswith(".") and name.rstrip("0123456789").endswith(".bak")):  # what `fix` keeps
            _look(tree, path, name, found)
    found.apps = sorted(apps)
    return found


def _composer(tree: Tree, path: str, apps: dict[str, None]) -> None:
    folder = path.rpartition("/")[0]
    if folder in apps:
        return
    data = _read(tree, path, None)
    # laravel/framework is required by apps; packages for Laravel require illuminate/* parts or testbench.
    if (
        data is not None
        and b'"laravel/framework"' in data
        and b'"orchestra/testbench"' not in data
        and _is_app(tree, folder)
    ):
        apps[folder] = None


def _is_app(tree: Tree, folder: str) -> bool:
    base = f"{folder}/" if folder else ""
    return tree.is_dir(f"{base}config") or tree.is_dir(f"{base}app") or tree.is_file(f"{base}bootstrap/app.php")


def _look(tree: Tree, path: str, name: str, found: Found) -> None:
    conf = _CONF_NAME.search(name) is not None or (
        _CONF_FOLDER.search(path) is not None and not name.endswith((".md", ".php", ".py"))
    )
    cron = _CRON_NAME.search(path) is not None
    unit = _UNIT_NAME.search(name) is not None
    other = _OTHER_PLATFORM.search(path) is not None
    script = other or _SCRIPT_NAME.search(name) is not None or "." not in name
    if _ENVIRONMENT_NAME.search(name) is not None:
        found.environment_hints.append(path)
    if not (conf or cron or unit or script) or _TEXT_FOLDERS.search(path):
        return
    data = _read(tree, path, found if conf or cron or unit else None)
    if data is None:
        return
    if conf and _SECTION.search(data) and not _holds_others(name, data):
        found.confs.append(path)
    elif cron and b"artisan" in data and looks_like_crontab(path, data):
        found.tables.append(path)
    elif unit:
        if b"artisan" in data or (name.partition(".")[0] and b"[Timer]" in data):
            found.units.append(path)
    else:
        _by_kind(path, name, data, found)
        if SCHEDULER.search(data):
            found.scheduler_hints.append(path)
        if WORKER.search(data):
            found.worker_hints.append(path)


def _holds_others(name: str, data: bytes) -> bool:
    """Whether a file with a supervisor section in it is one that writes or holds a configuration, and not one itself."""
    return name.endswith((".sh", ".yml", ".yaml", ".md")) or data.startswith(b"#!") or is_dockerfile(name)


def _by_kind(path: str, name: str, data: bytes, found: Found) -> None:
    if is_dockerfile(name):
        found.dockerfiles.append(path)
    elif is_compose(name):
        found.composes.append(path)
    elif _OTHER_PLATFORM.search(path) is not None:
        found.platforms.append(path)
    elif _YAML.search(name) is not None:
        if is_variable_file(path):
            found.variables.append(path)
        charted = b".Values." in data and _CHART.search(data) is not None
        if _STARTS.search(data) or _PLATFORM.search(path) is not None or charted:
            found.manifests.append(path)
            if b"vars:" in data:
                found.variables.append(path)
    elif name.lower().startswith("procfile"):
        found.procfiles.append(path)
    elif (_STARTS.search(data) and not name.endswith(_NO_SCRIPTS)) and name.lower() not in ("makefile", "justfile"):
        found.scripts.append(path)


def _read(tree: Tree, path: str, found: Found | None) -> bytes | None:
    status = tree.stat(path)
    if status is None or status.st_size > MAX_LOOK:
        if status is not None and found is not None and _CONF_FOLDER.search(path):
            found.unread.append(
                Unread(path, f"it is {status.st_size:,} bytes long, and no more than {MAX_LOOK:,} are looked at")
            )
        return None
    try:
        return tree.read(path, MAX_LOOK)
    except Unreadable as problem:
        if found is not None:
            found.unread.append(Unread(path, problem.reason))
        return None
