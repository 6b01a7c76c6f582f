"""A Dockerfile's stages: who they run as, what they set, copy, install and start."""

from __future__ import annotations

import posixpath
import re

from auditor.dialects.dockerfile import Instruction, expand, pairs, parse
from auditor.facts.container import Copied, Image
from auditor.facts.origin import Mark, Origin, declared, unknown
from auditor.sources.repository.bases import base_of
from auditor.sources.repository.model import Files, Stage, words_text
from auditor.sources.repository.scripts import Shell, read_shell_text
from auditor.sources.supervisor.oddities import hide_pairs

_SUPERVISOR = re.compile(
    r"\b(?:apk|apt|apt-get|dnf|yum|microdnf|pip3?|pipx)\b[^\n;&|]*?\b(?:add|install)\b[^\n;&|]*\bsupervisor\b"
)
_CRON = re.compile(
    r"\b(?:apk|apt|apt-get|dnf|yum|microdnf)\b[^\n;&|]*?\b(?:add|install)\b[^\n;&|]*\b(?:cron|dcron|cronie|busybox-suid|supercronic)\b|\bsupercronic\b"
)
_CHOWN = re.compile(r"\bchown\s+(?:-\w*R\w*|--recursive)\s+([A-Za-z_][\w.-]*)(?::[\w.-]*)?\s+([^\n;&|]+)")
_OFFICIAL_PHP = re.compile(r"(?:docker\.io/)?(?:library/)?php(?::[\w.-]+)?(?:@\S+)?")
_OTHER_PHP = re.compile(
    r"/etc/environment|\bPATH=|\bln\s+-|\bphp\d|(?:apt|apt-get|aptitude)\b[^;&|]*?\sphp[\d.]*(?:-cli)?(?=[\s\\]|$)",
    re.MULTILINE,
)
_UNSEEN_STEPS = re.compile(r"\.sh\b|\|\s*(?:ba|da)?sh\b|\bmake\b|(?:ext-install|php-extensions)\b[^\n;&|]*\$")
"""RUN text that may install an extension by another name, or none, than stands there."""
_IDLE = ("sync", "null")
MAX_STAGES = 100
"""No more stages of one Dockerfile are read."""


def read_stages(files: Files, path: str) -> list[Stage]:
    """Every stage of a Dockerfile, in order."""
    text = files.text(path)
    reader = _Reader(files, path)
    for instruction in parse(text) if text is not None else ():
        reader.take(instruction)
        if len(reader.stages) > MAX_STAGES:
            break
    return reader.stages


class _Reader:
    def __init__(self, files: Files, path: str) -> None:
        self.files = files
        self.path = path
        self.stages: list[Stage] = []
        self.globals: dict[str, str] = {}
        self.arguments: dict[str, str] = {}

    def take(self, one: Instruction) -> None:
        if one.name == "from":
            self._from(one)
        elif not self.stages:
            if one.name == "arg":
                self.globals.update({name: value for name, value, _ in pairs(one)})
        else:
            handle = getattr(self, f"_{one.name}", None)
            if handle is not None:
                handle(one, self.stages[-1])

    def place(self, one: Instruction) -> Origin:
        return self.files.place(self.path, one.line)

    def values(self, stage: Stage) -> dict[str, str]:
        return {**self.arguments, **{name: value for name, (value, _) in stage.environment.items()}}

    def expanded(self, text: str, stage: Stage) -> str | None:
        return expand(text, self.values(stage))

    def _from(self, one: Instruction) -> None:
        words = one.text.split()
        written = words[0] if words else ""
        base = expand(written, self.globals) or written
        name = words[2] if len(words) > 2 and words[1].lower() == "as" else ""
        stage = Stage(self.path, name.lower(), len(self.stages), base, one.line)
        stage.parent = self.stage_named(base)
        if stage.parent is not None:
            before = stage.parent
            stage.user, stage.directory = before.user, before.directory
            stage.environment, stage.unset = dict(before.environment), set(before.unset)
            stage.command, stage.entrypoint, stage.stop_signal = before.command, before.entrypoint, before.stop_signal
            stage.owner = before.owner
        self.arguments = {}
        self.stages.append(stage)

    def stage_named(self, name: str) -> Stage | None:
        low = name.lower()
        return next((stage for stage in reversed(self.stages) if stage.name and stage.name == low), None)

    def _arg(self, one: Instruction, stage: Stage) -> None:
        for name, value, _ in pairs(one):
            done = self.expanded(value, stage)
            if done is not None:
                self.arguments[name] = done
        for word in one.text.split():
            if "=" not in word and word in self.globals:
                self.arguments[word] = self.globals[word]

    def _env(self, one: Instruction, stage: Stage) -> None:
        known = self.values(stage)
        for name, value, line in pairs(one):
            done = expand(value, known)
            if done is None:
                stage.unset.add(name)
                stage.environment.pop(name, None)
            else:
                stage.unset.discard(name)
                stage.environment[name] = (done, self.files.place(self.path, line))

    def _user(self, one: Instruction, stage: Stage) -> None:
        place = self.place(one)
        done = self.expanded(one.text.strip(), stage)
        if not done:
            stage.user = ("root", unknown("USER holds a variable whose value is not known here", place))
            return
        name = done.partition(":")[0].strip()
        stage.user = ("root" if name == "0" else name, declared(place))

    def _workdir(self, one: Instruction, stage: Stage) -> None:
        done = self.expanded(one.text.strip().strip("\"'"), stage)
        stage.directory = posixpath.normpath(posixpath.join(stage.directory, done)) if done else "/"

    def _cmd(self, one: Instruction, stage: Stage) -> None:
        stage.command = (one.words if one.words is not None else one.text, self.place(one))

    def _entrypoint(self, one: Instruction, stage: Stage) -> None:
        stage.entrypoint = (one.words if one.words is not None else one.text, self.place(one))
        if stage.command is not None and stage.parent is not None and stage.command is stage.parent.command:
            stage.command = None  # an ENTRYPOINT resets the CMD that came with the base

    def _stopsignal(self, one: Instruction, stage: Stage) -> None:
        stage.stop_signal = (one.text.strip().upper().removeprefix("SIG"), self.place(one))

    def _copy(self, one: Instruction, stage: Stage) -> None:
        words = one.words if one.words is not None else [word.strip("\"'") for word in one.text.split()]
        if len(words) < 2:
            return
        written = self.expanded(words[-1], stage) or words[-1]
        target = posixpath.normpath(posixpath.join(stage.directory, written))
        if written.endswith(("/", "/.")) or written == "." or len(words) > 2:
            target = f"{target.rstrip('/')}/"
        heredocs = {heredoc.name: heredoc for heredoc in one.heredocs}
        plain = []
        for word in words[:-1]:
            name = word.lstrip("<-").strip("\"'")
            if word.startswith("<<") and name in heredocs:
                found = heredocs[name]
                stage.written.append((target + name if target.endswith("/") else target, found.text, found.line))
            else:
                plain.append(self.expanded(word, stage) or word)
        if not plain:
            return
        source = one.flags.get("from", "")
        other = None
        if source:
            other = (
                self.stages[int(source)]
                if source.isdecimal() and int(source) < len(self.stages) - 1
                else self.stage_named(source)
            )
        stage.copies.append((tuple(plain), target, source, other, one.line))
        owner = one.flags.get("chown", "").partition(":")[0]
        if owner and "$" not in owner and plain[0].rstrip("/") in (".", ""):
            stage.owner = (owner, self.place(one))

    _add = _copy

    def _run(self, one: Instruction, stage: Stage) -> None:
        text = one.text
        if one.words is not None:
            text = words_text(one.words)
        if one.heredocs:
            body = "".join(heredoc.text for heredoc in one.heredocs)
            shell = read_shell_text(f"{text}\n{body}{one.heredocs[-1].name}\n", one.line)
            if text.strip().startswith("<<"):
                shell = read_shell_text(body, one.heredocs[0].line)
            stage.packages += f"{text}\n{body}\n"
        else:
            shell = _relined(text, one)
            stage.packages += f"{text}\n"
        self._owned(stage, text, one)
        for cron in shell.crons:
            cron.fill(self.values(stage))
        user = stage.user or user_of_base(stage, self.place(one))
        stage.shells.append((shell, user, one.line))
        stage.moves += [(self._path(a, stage), self._path(b, stage), one.line) for a, b in shell.copies]

    def _owned(self, stage: Stage, text: str, one: Instruction) -> None:
        """`chown -R` of the app's folder, or of its storage."""
        for found in _CHOWN.finditer(text):
            paths = [posixpath.normpath(posixpath.join(stage.directory, word)) for word in found[2].split()]
            targets = {
                target.rstrip("/") or "/" for sources, target, *_ in stage.copies if sources[0].rstrip("/") in (".", "")
            }
            if any(path in targets or path.endswith("/storage") for path in paths):
                stage.owner = (found[1], self.files.place(self.path, one.line_of(found.start())))

    def _path(self, written: str, stage: Stage) -> str:
        done = self.expanded(written, stage) or written
        path = posixpath.normpath(posixpath.join(stage.directory, done))
        return f"{path}/" if done.endswith("/") else path


def _relined(text: str, one: Instruction) -> Shell:
    """The shell text of a RUN, whose continued lines were joined, with the lines they stand on."""
    shell = read_shell_text(text, 0)
    offsets = _Offsets(text, one)
    for start in shell.starts:
        start.line = start.end = offsets.of(start.text)
    for cron in shell.crons:
        cron.lines = [(offsets.of(line), line) for _, line in cron.lines]
    shell.tables = [(file, user, offsets.of(file)) for file, user, _ in shell.tables]
    shell.supervisord = [daemon._replace(line=one.line) for daemon in shell.supervisord]
    shell.understood = set(range(one.line, one.end + 1)) if shell.understood else set()
    return shell


class _Offsets:
    def __init__(self, text: str, one: Instruction) -> None:
        self.text = text
        self.one = one

    def of(self, piece: str) -> int:
        """The line on which a piece of the text begins."""
        for part in (piece, piece[:20]):
            at = self.text.find(part)
            if at >= 0:
                return self.one.line_of(at)
        return self.one.line


def user_of_base(stage: Stage, place: Origin) -> tuple[str, Mark | None]:
    """The account of a stage that sets none: its base's."""
    for step in stage.chain():
        if step.user is not None:
            return step.user
    bottom = stage.chain()[-1]
    base = base_of(bottom.base)
    if base is not None and base.user is not None:
        return base.user, declared(place)
    return "root", unknown(f'which account the image "{bottom.base}" starts as is not known here', place)


def image_of(files: Files, stage: Stage, *, last: bool) -> Image:
    """The fact of one stage."""
    place = files.place(stage.file, stage.line)
    marks: dict[str, Mark] = {"name": declared(place), "file": declared(place)}
    user, mark = stage.user or user_of_base(stage, place)
    if mark is not None:
        marks["user"] = mark
    if stage.environment:
        marks["environment"] = declared(next(iter(stage.environment.values()))[1])
    idle = ""
    for name in ("QUEUE_CONNECTION", "QUEUE_DRIVER"):
        found = stage.environment.get(name)
        if found is not None and found[0] in _IDLE:
            idle, marks["idle_connection"] = found[0], declared(found[1])
            break
    for field, written in (("command", stage.command), ("entrypoint", stage.entrypoint)):
        if written is not None:
            marks[field] = declared(written[1])
    if stage.stop_signal is not None:
        marks["stop_signal"] = declared(stage.stop_signal[1])
    if stage.owner is not None:
        marks["files_owner"] = declared(stage.owner[1])
    chain = stage.chain()
    bases = [base_of(step.base) for step in chain]
    packages = "\n".join(step.packages for step in chain)
    return Image(
        marks=marks,
        name=stage.file if last else f"{stage.file}#{stage.name or stage.index}",
        file=stage.file,
        target="" if last else stage.name,
        bases=tuple(step.base for step in chain),
        user=user,
        environment=hide_pairs({name: value for name, (value, _) in stage.environment.items()}),
        command=words_text(stage.command[0]) if stage.command is not None else None,
        entrypoint=words_text(stage.entrypoint[0]) if stage.entrypoint is not None else None,
        working_directory=stage.directory,
        stop_signal=stage.stop_signal[0] if stage.stop_signal is not None else "TERM",
        copies=tuple(Copied(sources, to, source, line) for sources, to, source, _, line in stage.copies),
        has_supervisor=_SUPERVISOR.search(packages) is not None or any(b is not None and b.supervisor for b in bases),
        has_cron=_CRON.search(packages) is not None or any(b is not None and b.cron for b in bases),
        idle_connection=idle,
        lacks_pcntl=_lacks_pcntl(chain[-1].base, files.text(stage.file) or "", packages),
        names_invoiceninja="invoiceninja" in (files.text(stage.file) or "").lower(),
        files_owner=stage.owner[0] if stage.owner is not None else "",
    )


def php_folder_of(stage: Stage) -> str:
    """Where the only php of an image lies: that of PHP's official images on Debian.

    "" for others, and where a link, a package or a file for every login might bring it elsewhere.
    """
    chain = stage.chain()
    base = chain[-1].base
    if _OFFICIAL_PHP.fullmatch(base) is None or "alpine" in base:
        return ""
    return "" if _OTHER_PHP.search("\n".join(step.packages for step in chain)) is not None else "/usr/local/bin"


def _lacks_pcntl(base: str, text: str, packages: str) -> bool:
    """Whether PHP's official image, which has no pcntl, gets it from nothing here."""
    return _OFFICIAL_PHP.fullmatch(base) is not None and "pcntl" not in text and _UNSEEN_STEPS.search(packages) is None
