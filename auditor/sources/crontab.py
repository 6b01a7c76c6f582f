"""Cron tables: a host's, and files of a repository that look like one.

Cron says little of what it ignores, and of a name it does not like nothing at all; so everything for which it passes
over a table is read here beside the lines: name, owner, mode, links, and the syntax of the last line.
"""

from __future__ import annotations

import itertools
import re
import stat
from collections.abc import Mapping
from typing import Any

from auditor.dialects.crontab import Bad, Job, Line, Setting, parse, shell_input
from auditor.errors import Unreadable
from auditor.facts.origin import NEVER, Mark, Origin, declared, observed, origin, unknown
from auditor.facts.redaction import redact
from auditor.facts.schedule import CronLine, CronTable
from auditor.patterns import late
from auditor.sources.tree import Tree

SYSTEM, DROP_IN, USER, BUSYBOX, SUPERCRONIC, REPOSITORY = (
    "system",
    "drop-in",
    "user",
    "busybox",
    "supercronic",
    "repository",
)
"""The kinds of table."""
PLACES = (
    (SYSTEM, "etc/crontab"),
    (DROP_IN, "etc/cron.d/*"),
    (USER, "var/spool/cron/crontabs/*"),
    (USER, "var/spool/cron/*"),
    (BUSYBOX, "etc/crontabs/*"),
)
"""Where a host keeps its tables, and of what kind they are."""

# Commands that begin a cron line in the field: a word that is one of them is not taken for a user.
_COMMANDS = frozenset(
    """
    [ [[ ansible-pull artisan bash bun cd certbot chmod chown chronic chroot command composer cp crond curl dash date
    docker docker-compose echo env eval exec export false find flock gosu ionice kill kubectl lftp logrotate ls mail
    mariadb-dump mkdir mv mysql mysqldump nice node nohup npm npx perl pg_dump podman psql python python3 redis-cli rm
    rsync run-one run-parts ruby runuser s6-setuidgid scp sendmail service setpriv setuser sh sleep ssh su su-exec sudo
    supervisorctl symfony sync systemctl tar test time timeout touch true umask unbuffer wget wp zsh
    """.split()
)
# Commands that are the name of a user as well, on Debian or in well-known images.
_USERS_TOO = frozenset(["composer", "docker", "mail", "mysql", "node", "sync"])
# The suffixes of files that are something else.
_NOT_TABLES = frozenset(
    """
    adoc bash c css csv dockerfile env go h htm html ini java js json lock markdown md php py rb rs rst scss service sh
    socket sql tf timer toml ts vue xml yaml yml zsh
    """.split()
)
# cron sets the first four, the shell the others; pam_env adds those of /etc/environment.
_ALWAYS_SET = frozenset(
    "HOME LOGNAME PATH SHELL PWD IFS OLDPWD PPID RANDOM UID EUID HOSTNAME SECONDS BASH_VERSION".split()
)
# A search path of these alone finds no php: no package and no image puts it there.
_WITHOUT_PHP = frozenset(["/sbin", "/usr/sbin", "/usr/local/sbin"])
_PROGRAMS = ("usr/bin", "usr/local/bin", "opt/*/bin", "opt/*/*/bin", "usr/local/*/bin")
_ROOT = 0
_MOST_TEXT = 4096  # characters of a command that become a fact: four times what cron takes
_MOST_SETTINGS = 200  # variables that become a fact for each line

# Patterns, compiled by `re` when first used: most audits need few of them.
_PHP = r"(?:lsphp|ea-php|php)[\d.]*(?:-cli|-cgi)?$"
_USER_NAME = r"(?a:[A-Za-z_][\w.-]{0,31}\$?$|\d{1,10}$)"
_TIME = rb"(?:[\d*][\d*/,~-]*|[A-Za-z]{3}(?:[-,][A-Za-z]{3})*)(?:[-/,][\d*]+)*$"
_RUN_PARTS = r"[A-Za-z0-9_-]+\Z"
_PLACEHOLDER = rb"\{\{[^{}\n]{0,200}\}\}|<%=[^%\n]{0,200}%>"
_VARIABLE = r"(?a:\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)([^}\w]?)))"
_ASSIGNED = r"(?a:(?:^|[\s;&|(])(?:for\s+|read\s+(?:-\w\s+)*)?([A-Za-z_]\w*)(?==|\s+in\s|\s*[;&|)]))"
_BARE_PHP = r"(?:^|[\s;&|(])(php[\w.-]*)\s+(?:-\S+\s+(?:[^\s=-][^\s=]*=\S+\s+)?)*\S*artisan\b"
_APPENDS = r"(?:^|[^>])>>\s*(\"[^\"]*\"|'[^']*'|[^\s;&|<>]+)"
_RED_HAT_LIKE = rb"(?m)^ID(?:_LIKE)?=.*\b(?:rhel|fedora|centos|amzn|suse|opensuse|arch)\b"
_SHELL_WORDS = rb"(?m)^[ \t]*(?:(?:if|then|fi|for|do|done|esac|function|FROM|RUN)\b|---|- |<\?php)"
_TABLE_NAME = r"(?i)(?:^|[._/-])(?:cron|crontab|crontabs|cronjobs?|cron\.d)(?:$|[._/-])"


def kind_of(path: str) -> str:
    """The kind of table a path says it is; REPOSITORY where it says nothing."""
    folder, _, name = path.rpartition("/")
    if not name:
        return REPOSITORY
    if path == "etc/crontab":
        return SYSTEM
    if folder == "etc/cron.d" or folder.endswith("/etc/cron.d"):
        return DROP_IN
    if folder.endswith(("var/spool/cron/crontabs", "var/spool/cron")):
        return USER
    if folder == "etc/crontabs" or folder.endswith("/etc/crontabs"):
        return BUSYBOX
    return REPOSITORY


def looks_like_crontab(path: str, data: bytes) -> bool:
    """Whether a file is a cron table: its name or folder may say so, and a line with time fields or a nickname must.

    A file whose name says nothing is one only if it holds nothing but jobs, settings and remarks; shell scripts, YAML
    and prose with a cron line in them are none.
    """
    head = data[:65_536]
    if b"\0" in head or not (b"*" in head or b"@" in head or head[:1].isdigit()):
        return False
    folder, _, name = path.rpartition("/")
    parts = name.lower().removesuffix(".j2").removesuffix(".erb").split(".")
    if len(parts) > 1 and parts[-1] in _NOT_TABLES:
        return False
    if head.startswith(b"#!") or name.lower() in ("dockerfile", "makefile", "license", "readme"):
        return False
    named = re.search(_TABLE_NAME, name) is not None or re.search(_TABLE_NAME, folder[-60:]) is not None
    good = bad = 0
    for line in parse(_filled(head), False)[:2000]:
        if isinstance(line, Job):
            at, end = line.schedule_span
            words = head[at:end].split()
            like = head[at : at + 1] == b"@" or all(
                (len(word) < 100 and re.match(_TIME, word)) or b"{" in word for word in words
            )
            good, bad = (good + 1, bad) if like and line.command.strip() else (good, bad + 1)
        elif isinstance(line, Bad) and line.cause == "time" and line.text.strip():
            # An attempt at a time, or a template's control line, is what a table may hold; other words are prose.
            bad += not named or line.text.lstrip()[:1] not in b"*@0123456789{<"
    if not good or (not named and re.search(_SHELL_WORDS, head)):
        return False
    return good > bad if named else bad == 0


_LEFTOVER = late(r"~$|\.(bak|old|orig|save|sav|swp|off|disabled|dpkg-\w+|ucf-\w+|rpm\w+)\d*$", re.IGNORECASE)
"""What editors, package managers and our own `fix` keep beside a table: cron passes over it, as is meant."""


def read_crontabs(tree: Tree, overrides: Mapping[str, bytes] | None = None) -> tuple[CronTable, ...]:
    """Every table of a host, in the order of PLACES; `overrides` stand in for files (path to content), there or not.

    A file that cannot be read is a table whose lines are unknown.
    """
    overrides = overrides or {}
    host = _Host(tree)
    found: dict[str, str] = {}
    for kind, pattern in PLACES:
        folder, _, last = pattern.rpartition("/")
        if last != "*":
            if pattern in overrides or tree.is_file(pattern):
                found[pattern] = kind
            continue
        try:
            names = tree.names(folder)
        except Unreadable:
            names = []
        names += [path[len(folder) + 1 :] for path in overrides if path.startswith(f"{folder}/")]
        for name in sorted(set(names)):
            path = f"{folder}/{name}"
            plain = "/" not in name and not name.startswith(".") and not _LEFTOVER.search(name)
            if plain and name != "crontabs" and (path in overrides or tree.is_file(path)):
                found.setdefault(path, kind)
    return tuple(_table(host, path, kind, overrides.get(path)) for path, kind in found.items())


def read_crontab(tree: Tree, path: str, kind: str, data: bytes | None = None, php_folder: str = "") -> CronTable:
    """One table, its content given or read from the tree; a file that cannot be read has unknown lines.

    `php_folder` is where the only php of the machine lies, where that is known without looking.
    """
    host = _Host(tree)
    host.php_folder = php_folder
    return _table(host, path, kind, data)


class _Host:
    """What the tables of one tree share: its users, its environment, and whether file owners mean anything here."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.php_folder = ""
        self._programs: dict[str, bool] = {}
        passwd = self._text("etc/passwd")
        self.users = self._users(passwd) if passwd is not None else None
        """Names and numbers of the users; None where another directory may know more."""
        found = tree.stat("etc/passwd")
        self.owners_told = found is not None and found.st_uid == _ROOT and not found.st_mode & 0o022
        """Whether owners and modes are the host's own: a checkout or a plain copy has those of whoever made it."""
        release = self._text("etc/os-release") or b""
        self.cronie = bool(re.search(_RED_HAT_LIKE, release)) or tree.is_file("etc/redhat-release")
        environment = (self._text("etc/environment") or b"").decode("utf-8", "replace")
        self.environment = frozenset(
            line.partition("=")[0].removeprefix("export ").strip() for line in environment.splitlines() if "=" in line
        )

    def has_program(self, name: str) -> bool:
        """Whether a program of that name lies in a folder of programs, on cron's PATH or not."""
        found = self._programs.get(name)
        if found is None:
            found = self._programs[name] = any(self.tree.glob(f"{folder}/{name}") for folder in _PROGRAMS)
        return found

    def _text(self, path: str) -> bytes | None:
        try:
            return self.tree.read(path, 1 << 20)
        except Unreadable:
            return None

    def _users(self, passwd: bytes) -> dict[str, int] | None:
        for line in (self._text("etc/nsswitch.conf") or b"").splitlines():
            if line.startswith(b"passwd:") and not set(line.split()[1:]) <= {b"files", b"systemd", b"compat"}:
                return None
        users: dict[str, int] = {}
        for entry in passwd.decode("utf-8", "replace").splitlines():
            fields = entry.split(":")
            if len(fields) >= 3 and fields[2].isdecimal():
                users.setdefault(fields[0], int(fields[2]))
        return users or None


def _table(host: _Host, path: str, kind: str, data: bytes | None) -> CronTable:
    name = path.rpartition("/")[2]
    daemon = kind if kind in (BUSYBOX, SUPERCRONIC) else "cronie" if host.cronie else "cron"
    marks: dict[str, Mark] = {}
    owner = name if kind in (USER, BUSYBOX) else None
    causes: list[tuple[str, str, Origin]] = []
    here = origin(path)
    if kind == DROP_IN and not _name_taken(name, daemon):
        causes.append(("name", f'{daemon} passes over a file named "{name}" without a word', here))
    uid = gid = mode = links = None
    if kind == REPOSITORY or not host.owners_told:
        for field in ("owner_uid", "owner_gid", "mode", "hard_links"):
            marks[field] = unknown("owner and mode are given where the table is put in place", here)
    elif (found := host.tree.stat(path)) is not None:
        uid, gid, mode, links = found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode), found.st_nlink
        for field in ("owner_uid", "owner_gid", "mode", "hard_links"):
            marks[field] = observed(here)
        owner_uid = (host.users or {}).get(owner) if owner else None
        causes += [(c, why, here) for c, why in ownership(kind, daemon, uid, mode, links, owner_uid)]
    if kind == USER and host.users is not None and owner not in host.users:
        causes.append(("unknown-user", f'no user is called "{owner}"', here))
    marks["name_ignored"] = declared(here)
    if kind == REPOSITORY:
        marks["name_ignored"] = unknown("its name is given where the table is put in place", here)
    try:
        content = host.tree.read(path) if data is None else data
    except Unreadable as problem:
        for field in ("lines", "refused", "causes", "final_newline", "crlf"):
            marks[field] = unknown(problem.reason, here)
        content = b""
    reader = _Reader(host, path, kind, daemon, owner, content)
    causes += reader.causes
    if reader.doubtful:
        marks["refused"] = marks["causes"] = unknown("supercronic reads times that Debian's cron does not know", here)
    for field in ("final_newline", "crlf", "lines"):
        marks.setdefault(field, declared(here))
    if not reader.final_newline and reader.lines:
        marks["final_newline"] = declared(_place(path, reader.lines[-1]))
    if b"\r\n" in content:
        number = content.count(b"\n", 0, content.index(b"\r\n")) + 1
        marks["crlf"] = declared(origin(path, number, content.splitlines()[number - 1].decode("utf-8", "replace")))
    if causes:
        marks["refused"] = marks["causes"] = declared(causes[0][2])
    return CronTable(
        marks=marks,
        path=path,
        kind=kind,
        daemon=daemon,
        file_name=name,
        has_dot="." in name,
        name_ignored=kind == DROP_IN and not _name_taken(name, daemon),
        owner=owner,
        owner_uid=uid,
        owner_gid=gid,
        mode=mode,
        hard_links=links,
        final_newline=reader.final_newline,
        crlf=b"\r\n" in content,
        refused=causes[0][1] if causes else None,
        causes=tuple(dict.fromkeys(cause for cause, _, _ in causes)),
        lines=tuple(reader.jobs),
        faulty_artisan=any(
            isinstance(line, Bad) and b"artisan" in line.text.replace(b"\0", b"") for line in reader.lines
        ),
    )


def _name_taken(name: str, daemon: str) -> bool:
    """Whether a name in /etc/cron.d is read: Debian's run-parts rule, or cronie's list of leftovers."""
    if daemon == "cronie":
        leftovers = (".rpmsave", ".rpmorig", ".rpmnew", ".cfsaved", "~")
        return not name.startswith((".", "#")) and not name.endswith(leftovers)
    return re.match(_RUN_PARTS, name) is not None


def ownership(kind: str, daemon: str, uid: int, mode: int, links: int, owner_uid: int | None) -> list[tuple[str, str]]:
    """Why the daemon refuses a table for its owner, mode or links: words and clauses, in the order of its checks.

    `owner_uid` is the number of the user a spool file belongs to, None where it is not known.
    """
    if daemon not in ("cron", "cronie"):
        return []
    found = []
    if kind == USER:
        if uid != _ROOT and owner_uid is not None and uid != owner_uid:
            found.append(("owner", f"its owner is {uid}, neither its user ({owner_uid}) nor root"))
        wrong = mode != 0o600 if daemon == "cron" else mode & 0o7533 != 0o400
        if wrong:
            found.append(("mode", f"its mode is {mode:04o}, and {daemon} wants 0600"))
    else:
        if uid != _ROOT:
            found.append(("owner", f"its owner is {uid}, not root"))
        if daemon == "cron" and mode & 0o022:
            found.append(("mode", f"its mode is {mode:04o}: others than root may write it"))
        elif daemon == "cronie" and mode & 0o7533 != 0o400:
            found.append(("mode", f"its mode is {mode:04o}: others may write it, or it is executable"))
    if links != 1:
        found.append(("hard-links", f"it has {links} names (hard links)"))
    return found


class _Reader:
    """Turns the lines of one table into facts; what cron remembers from line to line is kept here."""

    def __init__(self, host: _Host, path: str, kind: str, daemon: str, owner: str | None, data: bytes) -> None:
        self.host, self.path, self.kind = host, path, kind
        self.daemon, self.owner, self.data = daemon, owner, data
        self.settings: dict[str, tuple[str, Origin]] = {}
        self.environment: tuple[tuple[str, str], ...] = ()
        self.jobs: list[CronLine] = []
        self.causes: list[tuple[str, str, Origin]] = []
        filled = _filled(data)
        self.template = filled is not data
        self.lines = parse(filled, kind in (SYSTEM, DROP_IN))
        self.final_newline = not any(line.cause == "final-newline" for line in self.lines)
        for line in self.lines:
            self._take(line)
        self.doubtful = daemon == SUPERCRONIC and any(isinstance(line, Bad) for line in self.lines)

    def _take(self, line: Line) -> None:
        if isinstance(line, Setting):
            self._set(line)
        elif isinstance(line, Job):
            self.jobs.append(self._job(line))
            return
        if line.problem is not None:
            if self.template and isinstance(line, Bad):
                self._templated(line)
            else:
                self._refuse(line)

    def _set(self, line: Setting) -> None:
        place = _place(self.path, line)
        # busybox crond knows these two variables and no other.
        if self.daemon != BUSYBOX or line.name in ("SHELL", "MAILTO"):
            shown = redact(f"{line.name}={line.value}").partition("=")[2]
            self.settings[line.name] = (shown, place)
            pairs = itertools.islice(self.settings.items(), _MOST_SETTINGS)
            self.environment = tuple((name, value) for name, (value, _) in pairs)

    def _refuse(self, line: Line, problem: str | None = None, cause: str | None = None) -> None:
        """Debian's cron ignores the table; the others skip the line."""
        clause = problem or line.problem or ""
        if self.daemon == "cron":
            place = _place(self.path, line)
            self.causes.append((cause or line.cause or "", f"line {line.number}: {clause}", place))

    def _templated(self, line: Bad) -> None:
        """A line whose time a template fills in; control lines of the template are none."""
        raw = self._raw(line)
        words = raw.split(None, 5)
        if raw.lstrip().startswith((b"{%", b"{#", b"<%")) or not re.search(_PLACEHOLDER, raw) or len(words) < 3:
            return
        place = _place(self.path, line, raw)
        reason = unknown("a template fills it in", place)
        text = raw.strip().decode("utf-8", "replace")
        fields = ("schedule", "every_minute", "largest_gap", "at_reboot", "user", "has_user_field", "command")
        marks = dict.fromkeys((*fields, "command_seen", "written_user", "user_exists"), reason)
        self.jobs.append(CronLine(marks=marks, command=redact(text), command_seen=redact(text), **self._around({})))

    def _raw(self, line: Line) -> bytes:
        return self.data[line.start : line.start + len(line.text)]

    def _around(self, marks: dict[str, Mark]) -> dict[str, Any]:
        """What settings above the line decide."""
        values: dict[str, Any] = {"environment": self.environment}
        for name, field in (("PATH", "path_variable"), ("SHELL", "shell"), ("HOME", "home"), ("MAILTO", "mailto")):
            if name in self.settings:
                values[field], place = self.settings[name]
                marks[field] = declared(place)
        if self.daemon == BUSYBOX:
            values.setdefault("path_variable", "/sbin:/usr/sbin:/bin:/usr/bin")
        return values

    def _job(self, line: Job) -> CronLine:
        place = _place(self.path, line, self._raw(line))
        at, end = line.schedule_span
        schedule, text = line.schedule, self.data[at:end].decode("utf-8", "replace")
        body = line.user_span[0] if line.user_span else line.command_span[0]
        stop = line.command_span[1]
        marks: dict[str, Mark] = {"schedule": declared(place), "command": declared(place)}
        every, gap = schedule.runs_every_minute, schedule.largest_gap * 60
        if self.daemon == SUPERCRONIC:
            extra = _more_times(self.data[body:stop])
            if extra:
                body += extra
                text = self.data[at:body].decode("utf-8", "replace").strip()
                every, gap = False, NEVER
                for field in ("every_minute", "largest_gap"):
                    marks[field] = unknown("supercronic's sixth and seventh time field are not read here", place)
        rest = self.data[body:stop]
        written, user_end, doubt = self._written_user(rest)
        values: dict[str, Any] = {"has_user_field": written is not None}
        for field in ("has_user_field", "wants_user_field", "ends_with_carriage_return", "undefined_variables"):
            marks[field] = marks["command"]
        if doubt is not None:
            for field in ("has_user_field", "written_user", "user", "command", "command_seen"):
                marks[field] = unknown(doubt, place)
        problem, cause = line.problem, line.cause
        wants_user = self.kind in (SYSTEM, DROP_IN)
        separate = written is not None and (wants_user or self.kind == REPOSITORY)
        command = rest[user_end:] if separate else rest
        user = written if separate else self.owner
        if user is not None and "user" not in marks:
            marks["user"] = declared(place)
        elif self.kind in (REPOSITORY, SUPERCRONIC) and "user" not in marks:
            marks["user"] = unknown("it runs as whoever the table is given to, which is not told here", place)
        if written is not None and "user" not in marks:
            marks["written_user"] = declared(place)
        if written is not None and "{{" in written:
            marks["user"] = marks["written_user"] = marks["user_exists"] = unknown("a template fills it in", place)
        if wants_user:
            if written is None and doubt is None and problem is None:
                word = line.user or ""
                problem = f'no user stands before the command, so "{word[:40]}" is taken for one'
                cause = "user-field"
            problem, cause = self._known(user, values, marks, place, problem, cause)
        values.update(self._around(marks))
        seen, cut = (command, None) if self.daemon in (BUSYBOX, SUPERCRONIC) else shell_input(command)
        decoded = seen.decode("utf-8", "replace")[:_MOST_TEXT]
        shown = command.decode("utf-8", "replace").strip(" \t")[:_MOST_TEXT]
        marks["command_seen"] = marks["cut_at_percent"] = marks["command"]
        appended = re.search(_APPENDS, decoded)
        values["not_on_path"], doubt = self._not_on_path(decoded, values.get("path_variable", "/usr/bin:/bin"))
        if doubt is not None:
            marks["not_on_path"] = unknown(doubt, place)
        elif values["not_on_path"]:
            marks["not_on_path"] = marks["command"]
        set_here = self.host.environment | self.settings.keys()
        if self.daemon in (BUSYBOX, SUPERCRONIC):
            problem = None  # what Debian's cron objects to in a job, they take
        if problem is not None:
            self._refuse(line, problem, cause)
        return CronLine(
            marks=marks,
            schedule=text,
            every_minute=every,
            at_reboot=schedule.at_reboot,
            largest_gap=gap,
            user=user,
            wants_user_field=wants_user,
            written_user=written,
            command=redact(shown.rstrip("\r")),
            command_seen=redact(decoded.strip(" \t")),
            cut_at_percent=cut is not None,
            ends_with_carriage_return=line.text.endswith(b"\r"),
            undefined_variables=undefined_variables(decoded, set_here),
            appends_to=_one_file(appended[1]) if appended else None,
            problem=problem,
            **values,
        )

    def _not_on_path(self, command: str, path: str) -> tuple[str, str | None]:
        """The php that the command names by itself where PATH has none of that name; or why that is not known."""
        named = re.search(_BARE_PHP, command)
        if named is None:
            return "", None
        if self.daemon in (BUSYBOX, SUPERCRONIC) or self.kind == REPOSITORY or "PATH" in command or "$" in path:
            return "", "the PATH it is started with is not known here"
        folders = [folder for folder in path.split(":") if folder]
        if set(folders) <= _WITHOUT_PHP:
            return named[1], None
        if self.host.php_folder and named[1] == "php":
            return ("" if self.host.php_folder in folders else "php"), None
        if any(self.host.tree.is_file(f"{folder.strip('/')}/{named[1]}") for folder in folders):
            return "", None
        if self.host.has_program(named[1]):
            return named[1], None
        return "", f"where {named[1]} lies is not seen from here"

    def _known(
        self,
        user: str | None,
        values: dict[str, Any],
        marks: dict[str, Mark],
        place: Origin,
        problem: str | None,
        cause: str | None,
    ) -> tuple[str | None, str | None]:
        """Whether the host knows the user of a system table; cron ignores the table where it does not."""
        if user is None or marks["user"].reason is not None:
            return problem, cause
        if self.host.users is None:
            marks["user_exists"] = unknown("the host's users are not known here", place)
        elif user not in self.host.users:
            values["user_exists"] = False
            marks["user_exists"] = declared(place)
            if problem is None:
                return f'no user is called "{user[:40]}"', "unknown-user"
        else:
            marks["user_exists"] = declared(place)
        return problem, cause

    def _written_user(self, rest: bytes) -> tuple[str | None, int, str | None]:
        """The word that names a user, the offset behind it, and why it is doubtful whether the word is one."""
        words = _filled(rest).split(None, 2)
        if len(words) < 2:
            return None, 0, None
        blank = re.match(rb"[ \t]*", rest)
        first_end = (blank.end() if blank else 0) + len(words[0])
        after = first_end + len(rest[first_end:]) - len(rest[first_end:].lstrip(b" \t"))
        first = rest[first_end - len(words[0]) : first_end].decode("utf-8", "replace")
        second = words[1].decode("utf-8", "replace")
        templated = first.startswith(("{{", "<%"))
        wants_user = self.kind in (SYSTEM, DROP_IN)
        known = self.host.users is not None and first in self.host.users
        both = first in _USERS_TOO and (_is_command(second) or second[:1] == "/")
        is_user = both or (known and wants_user) or not _is_command(first)
        if not templated and not (is_user and re.match(_USER_NAME, first)):
            return None, 0, None
        if wants_user or (known and _leads(second)) or _is_command(second):
            return first, after, None
        if self.host.users is not None and self.kind != REPOSITORY:
            return None, 0, None
        if _leads(second):
            return None, 0, f'"{first[:40]}" may name a user or a command'
        return None, 0, None


def _is_command(word: str) -> bool:
    """Whether a word is a command for certain: a well-known name, a shell's own sign."""
    last = word.rpartition("/")[2].strip("\"'")
    return last in _COMMANDS or word in _COMMANDS or bool(re.match(_PHP, last)) or word[:1] in "(!"


def _one_file(word: str) -> str | None:
    """The file that is appended to run after run; None for /dev/null, and for a name that each run makes anew."""
    name = word.strip("\"'")
    return None if name == "/dev/null" or "$(" in name or "`" in name else name


def _leads(word: str) -> bool:
    """Whether a word can begin a command: one for certain, a path, a variable or an assignment."""
    return _is_command(word) or word[:1] in "/.~$\"'{" or "=" in word


def _more_times(rest: bytes) -> int:
    """How many bytes of further time fields supercronic would read: seconds, years."""
    end = 0
    for _ in range(2):
        match = re.match(rb"[ \t]*([\d*][\d*/,-]*)[ \t]+", rest[end:])
        if match is None:
            break
        end += match.end()
    return end


def undefined_variables(command: str, defined: frozenset[str]) -> tuple[str, ...]:
    """The variables a shell command uses, without a default, that are neither `defined` nor set by cron or itself."""
    if "$" not in command:
        return ()
    assigned = {match[1] for match in re.finditer(_ASSIGNED, command)}
    found: dict[str, None] = {}
    quoted = _single_quoted(command)
    for match in re.finditer(_VARIABLE, command):
        name = match[1] or match[2]
        skipped = match[3] in (":", "-", "=", "+", "?") if match[3] else False
        escaped = match.start() > 0 and command[match.start() - 1] == "\\"
        if skipped or escaped or name in assigned or name in defined or name in _ALWAYS_SET:
            continue
        if not any(begin < match.start() < end for begin, end in quoted):
            found[name] = None
    return tuple(found)


def _single_quoted(command: str) -> list[tuple[int, int]]:
    """Where the shell reads text literally, within single quotes that are not themselves within double ones."""
    spans = []
    double = False
    at = 0
    while at < len(command):
        char = command[at]
        if char == "\\":
            at += 1
        elif char == '"':
            double = not double
        elif char == "'" and not double:
            end = command.find("'", at + 1)
            if end < 0:
                break
            spans.append((at, end))
            at = end
        at += 1
    return spans


def _filled(data: bytes) -> bytes:
    """The data with a template's placeholders filled by as many letters, so that offsets stay; itself without any."""
    if b"{{" not in data and b"<%=" not in data:
        return data
    return re.sub(_PLACEHOLDER, lambda match: b"x" * len(match[0]), data)


def _place(path: str, line: Line, raw: bytes | None = None) -> Origin:
    return origin(path, line.number, (line.text if raw is None else raw)[:2000].decode("utf-8", "replace"))
