"""Shell text of entrypoints, start and set-up scripts and of Dockerfiles' RUN, as far as it plainly starts or installs something.

Text is cut into statements by quotes, parentheses and operators; under which condition each of them runs is kept beside it.
Nothing is executed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from auditor.sources.repository.branches import ALWAYS, Branches, When
from auditor.sources.repository.cron_written import CronWritten, is_piped_into_crontab, put_in, user_of
from auditor.sources.repository.given import Given

MENTIONS = re.compile(r"queue:(?:work|listen)\b|schedule:(?:run|work)\b|artisan[\"', ]+horizon(?![:\w])")
"""What a worker's or a scheduler's command holds."""
MAX_STATEMENTS = 20_000
"""No more statements of one script are looked at."""

_HEREDOC = re.compile(r"(?<![<\w$(])<<(-?)\s*(\\|[\"']?)([A-Za-z_][\w.-]*)[\"']?")
_WRITES = re.compile(r"(?:>>?\|?|\btee\b(?:\s+-a\b|\s+--append\b)*)\s*[\"']?(/?[^\s\"'<>|;&()]+)")
_ASSIGNS = re.compile(r"(?:export\s+|local\s+|readonly\s+)?([A-Za-z_]\w*)=([\"'])")
_SECTION = re.compile(r"^[ \t]*\[(?:program|supervisord|group|eventlistener)\b", re.MULTILINE)
_QUOTED = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'([^']*)'", re.DOTALL)
_CRON_LINE = re.compile(r"\s*(?:[\d*][\d*/,-]*(?:[ \t]+[\d*A-Za-z][\w*/,-]*){4}|@[a-z]+)[ \t]+\S")
_INSTALLS = re.compile(r"\bcrontab\b((?:\s+-u\s+\S+|\s+-c\s+\S+)*)\s+(-(?!\w)|[^\s;|&<>-][^\s;|&<>]*)?")
_LEADING = re.compile(
    r"(?:(?:then|else|elif|do|if|while|until|!|\{|\()(?=[\s(!])\s*|[\w\"'|*.?$ -]{1,60}\)(?=\s)\s*|[\w-]+\s*\(\)\s*\{?\s*)"
)
_SUPERVISORD = re.compile(r"(?:^|[\s/\"'])supervisord(?=$|[\s;&\"'])")
_CONF_OPTION = re.compile(r"\s(?:-c|--configuration)(?:\s+|=)[\"']?([^\s\"';&]+)")
_CROND = re.compile(
    r"(?:^|[\s/])(?:cron|crond|supercronic)(?=$|[\s;&])|service\s+cron\s+start|rc-service\s+crond?\s+start|/etc/init\.d/cron\s+(?:re)?start"
)
_SWITCH = re.compile(r"\b(?:gosu|su-exec|s6-setuidgid|setpriv|runuser|su|sudo)\b")
_INERT = re.compile(
    r"(?:echo|printf|grep|pgrep|pkill|kill|apt|apt-get|apk|yum|dnf|which|command|supervisorctl|chmod|chown|ln|cp|mv|rm|mkdir|touch|cat|sed|test|\[|\[\[|#)(?=\s|$)"
)
_HELD = re.compile(r"(?:(?:export|local|readonly)\s+)?([A-Za-z_]\w*)=(?:\"((?:[^\"\\]|\\.)*)\"|'([^']*)')", re.DOTALL)
_LOOP = re.compile(r"(?:while|until|for)\b")
_TRAPS = re.compile(r"trap\s+(?!-)\S|wait\s+-n\b")


class Statement:
    """One statement of a shell text, with the line it begins on."""

    __slots__ = ("end", "line", "operator", "text", "when")

    def __init__(self, text: str, line: int, end: int, operator: str = "", when: When = ALWAYS) -> None:
        """See the fields."""
        self.text = text
        self.line = line
        self.end = end
        self.operator = operator
        """What joins it to the next one: "&&", "||", or "" for neither."""
        self.when = when
        """The condition under which it runs."""


class Daemon(NamedTuple):
    """One start of supervisord."""

    conf: str | None
    """The configuration it names, None for none."""
    line: int
    when: When = ALWAYS
    """The condition under which it starts."""
    text: str = ""
    """The statement."""


class Written:
    """A file that a script writes: where to (None where that is not told), its text, and the line of its first line."""

    __slots__ = ("line", "literal", "path", "text")

    def __init__(self, path: str | None, text: str, line: int, *, literal: bool) -> None:
        """Hold it; the shell puts no values into a literal one."""
        self.path = path
        self.text = text
        self.line = line
        self.literal = literal


class Shell:
    """What one shell text starts and installs."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.starts: list[Statement] = []
        """Statements that mention a worker or the scheduler."""
        self.crons: list[CronWritten] = []
        """Lines given to cron."""
        self.tables: list[tuple[str, str | None, int]] = []
        """`crontab FILE`: the file, the user named, the line."""
        self.held: dict[str, tuple[int, str]] = {}
        """Variables that hold a line for cron: where it stands, and the line."""
        self.confs: list[Written] = []
        """Supervisor configurations it writes."""
        self.supervisord: list[Daemon] = []
        """Each start of supervisord."""
        self.switches_user = False
        """Whether a start of supervisord goes through a command that switches accounts."""
        self.traps = 0
        """The line on which it takes signals in its own hand, or waits for the first of several; 0 for none."""
        self.crond = False
        """Whether it starts a cron daemon."""
        self.copies: list[tuple[str, str]] = []
        """Plain `cp`, `mv` and `ln -s`: from, to."""
        self.understood: set[int] = set()
        """The lines whose mention of a worker or the scheduler has been taken in."""
        self.branches = Branches()
        """What it asks before it starts something."""

    def given(self, arguments: Sequence[str] | None, environment: Mapping[str, str | None], *, whole: bool) -> Given:
        """What one container answers to it."""
        return Given(None if self.branches.shifted else arguments, environment, self.branches.assigned, whole=whole)


def read_shell_text(text: str, first: int = 1) -> Shell:
    """Everything plain in a shell text whose first line is line `first` of its file."""
    found = Shell()
    text = text.replace("\r\n", "\n")
    rest = _without_heredocs(text, first, found)
    rest = _without_texts(rest, first, found)
    for statement in _whole_loops(_conditional(statements(rest, first), found.branches)):
        _take(statement, found)
    return found


def _conditional(found: Iterator[Statement], branches: Branches) -> Iterator[Statement]:
    """Statements, each with the condition under which it runs."""
    for statement in found:
        statement.when = branches.take(statement.text, statement.operator)
        yield statement


def _without_heredocs(text: str, first: int, found: Shell) -> str:
    if "<<" not in text:
        return text
    lines = text.split("\n")
    last = {line.strip(): index for index, line in enumerate(lines)}
    out: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        opened = None if line.lstrip().startswith("#") else _HEREDOC.search(line)
        if opened is None or last.get(opened[3], -1) < at:
            out.append(line)
            continue
        begin = at
        while at < len(lines) and lines[at].strip() != opened[3]:
            at += 1
        body = lines[begin:at]
        at = min(at + 1, len(lines))
        out.append(_HEREDOC.sub(" ", line, count=1))
        out.extend([""] * (at - begin))
        _given(line, "\n".join(body), first + begin, found, literal=bool(opened[2]))
    return "\n".join(out)


def _given(line: str, body: str, first: int, found: Shell, *, literal: bool) -> None:
    """Take in what a command is given as a file's text; a shell puts no values into a literal one."""
    written = _WRITES.search(_HEREDOC.sub(" ", line))
    path = written[1] if written is not None else None
    if _SECTION.search(body):
        found.confs.append(Written(path, f"{body}\n", first, literal=literal))
        found.understood.update(range(first, first + body.count("\n") + 1))
        return
    installs = _INSTALLS.search(line)
    if installs is not None or (path is not None and "cron" in path):
        lines = [(first + number, text) for number, text in enumerate(body.split("\n"))]
        if any(_CRON_LINE.match(text) for _, text in lines):
            filled = frozenset() if literal else put_in(body)
            found.crons.append(CronWritten(lines, None if installs else path, user_of(line), filled))
            found.understood.update(number for number, _ in lines)
            return
    inner = read_shell_text(body, first) if MENTIONS.search(body) and body.lstrip().startswith("#!") else None
    if inner is not None:
        found.starts += inner.starts
        found.understood |= inner.understood


def _without_texts(text: str, first: int, found: Shell) -> str:
    """Take in variables whose text is a configuration, and leave empty lines in their place."""
    if not _SECTION.search(text):
        return text
    done = 0
    out: list[str] = []
    for match in _ASSIGNS.finditer(text):
        if match.start() < done:
            continue
        end = _closing(text, match.end(), match[2])
        body = text[match.end() : end]
        if end < 0 or not _SECTION.search(body):
            continue
        line = first + text.count("\n", 0, match.end())
        used = re.search(r"\$\{?" + match[1] + r"\b[^\n]*", text[end:])
        written = _WRITES.search(used[0]) if used else None
        lead = len(body) - len(body.lstrip("\n"))
        path = written[1] if written else None
        found.confs.append(Written(path, body[lead:].rstrip() + "\n", line + lead, literal=match[2] == "'"))
        found.understood.update(range(line, line + body.count("\n") + 1))
        out += [text[done : match.start()], "\n" * body.count("\n")]
        done = end + 1
    out.append(text[done:])
    return "".join(out)


def _closing(text: str, at: int, quote: str) -> int:
    while at < len(text):
        if text[at] == quote:
            return at
        at += 2 if text[at] == "\\" and quote == '"' else 1
    return -1


def statements(text: str, first: int = 1) -> Iterator[Statement]:
    """The statements of a shell text: cut at line ends, `;`, `&&`, `||` and `&`, not inside quotes or parentheses."""
    count = 0
    start = at = depth = 0
    line = first
    begun = first
    length = len(text)
    quote = ""
    remarks: list[tuple[int, int]] = []
    while at <= length:
        char = text[at] if at < length else "\n"
        stop = 0
        if quote and at < length:
            if char == "\\" and quote == '"':
                at += 1
                line += text[at : at + 1] == "\n"
            elif char == quote:
                quote = ""
            elif char == "\n":
                line += 1
            at += 1
            continue
        if char == "\\" and at < length:
            line += text[at + 1 : at + 2] == "\n"
            at += 2
            continue
        if char in "'\"":
            quote = char
        elif char == "#" and (at == start or text[at - 1] in " \t\n;&|("):
            end = text.find("\n", at)
            end = length if end < 0 else end
            remarks.append((at, end))
            at = end
            continue
        elif char == "(":
            depth += 1
        elif char == ")":
            depth = max(0, depth - 1)
        elif depth == 0 or at >= length:
            if char in "\n;":
                stop = 1
            elif text.startswith(("&&", "||"), at):
                stop = 2
            elif char == "&" and text[at - 1 : at] != ">" and text[at + 1 : at + 2] not in (">", "&"):
                stop = -1
        if stop:
            body = _without(text, start, at + 1 if stop < 0 else at, remarks).strip()
            remarks.clear()
            if body and body != "&":
                count += 1
                if count > MAX_STATEMENTS:
                    return
                yield Statement(body, begun, line, text[at : at + 2] if stop == 2 else "")
            at += abs(stop)
            line += char == "\n"
            start, begun = at, line
            while start < length and text[start] in " \t\n\\":
                if text[start] == "\n":
                    line += 1
                start += 1
            at, begun = max(at, start), line
            if at > length:
                return
            continue
        if char == "\n":
            line += 1
        at += 1


def _without(text: str, start: int, end: int, remarks: list[tuple[int, int]]) -> str:
    """A part of the text, remarks left out."""
    parts = []
    for begin, stop in remarks:
        parts.append(text[start:begin])
        start = stop
    return "".join([*parts, text[start:end]])


def _whole_loops(found: Iterator[Statement]) -> Iterator[Statement]:
    """Statements, those of a loop joined into one."""
    loop: list[Statement] = []
    depth = 0
    for statement in found:
        bare = _bare(statement.text)
        opens = _LOOP.match(bare) is not None
        if not loop and not opens:
            yield statement
            continue
        loop.append(statement)
        depth += opens or _LOOP.match(re.sub(r"^(?:do|then)\s+", "", bare)) is not None
        if re.match(r"(?:done)\b", bare):
            depth -= 1
        if depth <= 0 or len(loop) > 200:
            text = "; ".join(part.text for part in loop)
            text = re.sub(r"\b(do|then|else|\{); ", r"\1 ", text).replace("&; ", "& ")
            yield Statement(text, loop[0].line, loop[-1].end, when=loop[0].when)
            loop, depth = [], 0
    yield from loop


def _bare(text: str) -> str:
    """A statement without the words of the construct around it."""
    for _ in range(8):
        if _LOOP.match(text):
            return text
        match = _LEADING.match(text)
        if match is None or not match.end():
            return text
        text = text[match.end() :]
    return text


def _take(statement: Statement, found: Shell) -> None:
    text = statement.text
    mentions = MENTIONS.search(text) is not None
    installs = _INSTALLS.search(text) if "crontab" in text else None
    bare = _bare(text)
    if mentions and _holds(statement, bare, found):
        return
    held = _held_in(text, found) if found.held else []
    if "cron" in text and (mentions or installs is not None or held) and _crons(statement, installs, held, found):
        return
    if _TRAPS.match(bare) and not found.traps:
        found.traps = statement.line
    if bare.startswith(("cp ", "mv ", "ln ")):
        _copies(bare, found)
    if _INERT.match(bare) and not bare.startswith(("[", "test")):
        if mentions:  # it only speaks of it
            found.understood.update(range(statement.line, statement.end + 1))
        return
    if mentions:
        found.starts.append(Statement(bare, statement.line, statement.end, when=statement.when))
        found.understood.update(range(statement.line, statement.end + 1))
    started = _SUPERVISORD.search(bare)
    if started is not None:
        option = _CONF_OPTION.search(bare, started.start())
        found.supervisord.append(Daemon(option[1] if option else None, statement.line, statement.when, bare))
        found.switches_user = found.switches_user or _SWITCH.search(bare[: started.start()]) is not None
    if "cron" in bare and _CROND.search(bare):
        found.crond = True


def _holds(statement: Statement, bare: str, found: Shell) -> bool:
    """Take in a variable whose text is a line for cron; what is done with it, a later statement tells."""
    held = _HELD.fullmatch(bare)
    if held is None or not _CRON_LINE.match(body := held[2] if held[2] is not None else held[3]):
        return False
    found.held[held[1]] = (statement.line, body.strip())
    return True


def _held_in(text: str, found: Shell) -> list[tuple[int, str]]:
    """The lines that variables hold and this text gives to cron, each once."""
    if not is_piped_into_crontab(text) and not any("cron" in path for path in _WRITES.findall(text)):
        return []
    used = put_in(text)
    return [line for name, line in found.held.items() if name in used]


def _crons(statement: Statement, installs: re.Match[str] | None, held: list[tuple[int, str]], found: Shell) -> bool:
    text = statement.text
    lines = list(held)
    filled: set[str] = set()
    for number, line in held:
        filled |= put_in(line)
        found.understood.add(number)
    for match in _QUOTED.finditer(text):
        body = match[1] if match[1] is not None else match[2]
        if match[1] is not None:
            filled |= put_in(body)
        parts = body.replace("\\n", "\n").replace('\\"', '"').replace("\\$", "$").replace("\\\n", "").split("\n")
        jobs = [part.strip() for part in parts if _CRON_LINE.match(part)]
        if jobs:
            at = statement.line + text.count("\n", 0, match.start())
            lines += [(at, job) for job in jobs]
    written = next((path for path in _WRITES.findall(_QUOTED.sub("''", text)) if "cron" in path), None)
    if written is None and installs is None and not held:
        written = (
            next((path for path in _WRITES.findall(text[text.rfind(lines[-1][1][-8:]) :]) if "cron" in path), None)
            if lines
            else None
        )
    if lines and (installs is not None or written is not None):
        path = None if written is None else written
        found.crons.append(CronWritten(lines, path, user_of(text), frozenset(filled)))
        found.understood.update(range(statement.line, statement.end + 1))
        return True
    if installs is not None and installs[2] and installs[2] != "-" and not lines:
        found.tables.append((installs[2].strip("\"'"), user_of(text), statement.line))
        return True
    return False


def _copies(text: str, found: Shell) -> None:
    words = [word.strip("\"'") for word in text.split()]
    paths = [word for word in words[1:] if not word.startswith("-")]
    if words[0] == "ln" and not any(word.startswith("-") and "s" in word for word in words[1:]):
        return
    if len(paths) >= 2 and len(found.copies) < 200:
        found.copies += [(path, paths[-1]) for path in paths[:-1]]
