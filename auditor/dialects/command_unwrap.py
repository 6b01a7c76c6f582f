"""What a command really starts: through shells, `cd`, `exec`, `env`, `nice`, `sudo`, `docker exec` and their like.

Nothing is run. Each command found is an End: the words of the program itself, and what was met on the way to it. What
a wrapper script or a variable decides is left open, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from auditor.dialects.command_words import (
    MAX_TEXT,
    Beyond,
    Compound,
    Listing,
    Node,
    Pipeline,
    Refused,
    Simple,
    Text,
    Word,
    clipped,
    cut_for_execve,
    read_shell,
)
from auditor.patterns import late

MAX_SHELLS = 8
"""No deeper nesting of `sh -c` is followed."""
MAX_WRAPPERS = 32
"""No longer row of wrappers is followed."""
MAX_ENDS = 64
"""No more commands of one text are looked at."""


class Wrapper:
    """How one program that starts another takes its own arguments."""

    __slots__ = ("background", "container", "directory", "positionals", "subcommand", "user", "user_first", "valued")

    def __init__(
        self,
        valued: str = "",
        *,
        positionals: int = 0,
        user: str = "",
        directory: str = "",
        user_first: bool = False,
        subcommand: str = "",
        container: bool = False,
        background: bool = False,
    ) -> None:
        """See the fields; the texts hold blank-separated option names with their dashes."""
        self.valued = frozenset(valued.split())
        """Options that take the next word where their value is not part of their own."""
        self.positionals = positionals
        """How many words stand before the command it starts."""
        self.user = frozenset(user.split())
        """Options whose value is the user it starts the command as."""
        self.directory = frozenset(directory.split())
        """Options whose value is the folder it starts the command in."""
        self.user_first = user_first
        """Whether its first positional is that user."""
        self.subcommand = frozenset(subcommand.split())
        """The subcommands with which it starts something; empty where it has none."""
        self.container = container
        """Whether the command runs inside a container."""
        self.background = background
        """Whether it returns before the command ends."""


_DOCKER_EXEC = (
    "-e --env --env-file -u --user -w --workdir --detach-keys --index -c --context -f --file -p --project-name "
    "--profile --project-directory -H --host --config -l --log-level"
)

WRAPPERS: dict[str, Wrapper] = {
    "nice": Wrapper("-n --adjustment"),
    "ionice": Wrapper("-c --class -n --classdata"),
    "chrt": Wrapper("-T -P -D", positionals=1),
    "taskset": Wrapper("", positionals=1),
    "prlimit": Wrapper(""),
    "cgexec": Wrapper("-g"),
    "stdbuf": Wrapper("-i -o -e --input --output --error"),
    "unbuffer": Wrapper(""),
    "time": Wrapper("-f --format -o --output"),
    "timeout": Wrapper("-s --signal -k --kill-after", positionals=1),
    "nohup": Wrapper(""),
    "tini": Wrapper("-p -e"),
    "docker-php-entrypoint": Wrapper(""),
    "docker-init": Wrapper("-p -e"),
    "dumb-init": Wrapper("-r --rewrite"),
    "catatonit": Wrapper(""),
    "pidproxy": Wrapper("", positionals=1),
    "chronic": Wrapper(""),
    "cronic": Wrapper(""),
    "systemd-cat": Wrapper("-t --identifier -p --priority --stderr-priority --level-prefix"),
    "systemd-inhibit": Wrapper(""),
    "gosu": Wrapper("", positionals=1, user_first=True),
    "su-exec": Wrapper("", positionals=1, user_first=True),
    "s6-setuidgid": Wrapper("", positionals=1, user_first=True),
    "setuidgid": Wrapper("", positionals=1, user_first=True),
    "chpst": Wrapper("-u -U -e -n -l -L -b -m -d -o -p -f -c -t -r -/", user="-u"),
    "softlimit": Wrapper("-a -c -d -f -l -m -o -p -r -s -t"),
    "envdir": Wrapper("", positionals=1),
    "s6-envdir": Wrapper("", positionals=1),
    "with-contenv": Wrapper(""),
    "setpriv": Wrapper(
        "--reuid --regid --groups --ruid --euid --rgid --egid --bounding-set --inh-caps --ambient-caps --securebits "
        "--selinux-label --apparmor-profile --pdeathsig --ptracer",
        user="--reuid",
    ),
    "sudo": Wrapper(
        "-u --user -g --group -h --host -p --prompt -C --close-from -D --chdir -R --chroot -r --role -t --type "
        "-T --command-timeout -U --other-user",
        user="-u --user",
        directory="-D --chdir",
    ),
    "doas": Wrapper("-u -C", user="-u"),
    "setsid": Wrapper(""),
    "daemonize": Wrapper("-c -e -E -o -p -l -u", user="-u", directory="-c", background=True),
    "flock": Wrapper("-w --wait --timeout -E --conflict-exit-code", positionals=1),
    "docker": Wrapper(
        _DOCKER_EXEC, positionals=1, user="-u --user", directory="-w --workdir", subcommand="exec", container=True
    ),
    "docker-compose": Wrapper(
        _DOCKER_EXEC, positionals=1, user="-u --user", directory="-w --workdir", subcommand="exec run", container=True
    ),
    "kubectl": Wrapper(
        "-n --namespace -c --container -f --filename --context --kubeconfig --pod-running-timeout",
        positionals=1,
        subcommand="exec",
        container=True,
    ),
    "doppler": Wrapper("-p --project -c --config -t --token", subcommand="run"),
    "infisical": Wrapper("--env --path --projectId --token", subcommand="run"),
    "op": Wrapper("--env-file --account", subcommand="run"),
    "chamber": Wrapper("-b --backend", positionals=1, subcommand="exec"),
    "aws-vault": Wrapper("-d --duration --region", positionals=1, subcommand="exec"),
}
WRAPPERS["podman"] = WRAPPERS["docker"]
WRAPPERS["oc"] = WRAPPERS["kubectl"]
"""Programs that start another, by file name."""

SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "zsh", "mksh", "busybox"})
"""Programs that take a command's text after -c."""

_NO_RUNNERS = frozenset(
    """
    [ [[ : . alias awk basename cat chgrp chmod chown composer cp crontab curl cut date declare dirname du echo egrep
    export false fgrep find git grep head id install kill killall let ln local logger ls mkdir mv node npm pgrep pidof
    pip pkill printf ps pwd python python3 read readonly return rm rsync sed service set shift sleep sort source
    supervisorctl supervisord systemctl tail tee test touch tr trap true type ulimit umask unset wait wc wget which
    xargs yarn exit break continue eval
    """.split()
)
"""Programs and shell commands that start no worker, whatever their arguments say."""

_DAEMONS = frozenset(
    """
    apache2 apache2ctl beanstalkd caddy cron crond httpd memcached mysqld nginx redis-server rr sshd supercronic
    """.split()
)

_PHP = late(r"(?:ea-)?(?:php|lsphp)-?(?:\d{1,2}(?:\.?\d{1,2})?|__[A-Z][A-Z_]*__)?(?:-cli|-cgi)?")
_PHP_VERSION = late(r"php-?(\d)\.?(\d{1,2})?(?:-cli|-cgi)?(?:/|$)|/php/(\d)\.(\d{1,2})(?=[./])")
_PHP_VALUED = frozenset(
    "-c -d -f -r -z -S -t -B -R -F -E -g --php-ini --define --file --run --server --docroot".split()
)
_ASSIGNMENT = late(r"[A-Za-z_]\w*\+?=")
_EXECVE_SYNTAX = late(r"&&|\|\|?|;;?|&|\d*(?:>>?|<|>&|<&|>\|)|&>>?")
_EXECVE_REDIRECT = late(r"(?:\d+|&)?(?:>>?|<)(?:&?\d|[./~\w\"'-].*)?")
_OPERATOR_STARTS = frozenset("&|;<>0123456789")
_SHELL_WORDS = frozenset("cd exec source export while until for if ( { ! set eval .".split())


class Way:
    """What was met between whoever starts the command and the program itself."""

    __slots__ = (
        "assigned",
        "background",
        "container",
        "directory",
        "directory_places",
        "exec_places",
        "loop",
        "loop_sleep",
        "open",
        "redirects",
        "shell",
        "stays",
        "user",
        "wrappers",
    )

    def __init__(self) -> None:
        """Nothing yet."""
        self.wrappers: tuple[str, ...] = ()
        """The programs in between, outermost first."""
        self.directory: str | None = None
        """The folder changed to, holes as private characters, maybe relative to the one it is started in; or None."""
        self.directory_places: tuple[Word, ...] = ()
        """The words that name it."""
        self.user: str | None = None
        """The user switched to, or None."""
        self.shell = ""
        """The innermost shell."""
        self.stays: bool | None = False
        """Whether a shell process stays as the program's parent; None where that cannot be told."""
        self.background = False
        """Whether whoever starts it does not wait for it."""
        self.container = False
        """Whether it runs in a container."""
        self.loop = False
        """Whether a loop starts it again and again."""
        self.loop_sleep: str | None = None
        """What the loop's own sleep waits, as written; None where it has none."""
        self.assigned = False
        """Whether the shell sets variables for the program alone: `A=b program`."""
        self.redirects: tuple[tuple[str, Word], ...] = ()
        """The redirections around it, innermost shell's."""
        self.open: dict[str, str] = {}
        """What cannot be told ("user", "directory", "options", "everything"…), and why."""
        self.exec_places: tuple[int | None, ...] = ()
        """For each shell that stays: where in the source an `exec ` would make it go, or None where none would."""

    def copy(self) -> Way:
        """The same so far, to go on from."""
        other = Way()
        for name in self.__slots__:
            setattr(other, name, getattr(self, name))
        other.open = dict(self.open)
        return other


class End:
    """One program that a command starts."""

    __slots__ = ("arguments", "artisan", "assumed", "php", "php_settings", "script", "way", "words")

    def __init__(self, words: Sequence[Word], way: Way) -> None:
        """See the fields."""
        self.words = words
        """The program and its arguments."""
        self.way = way
        """What leads to it."""
        self.php: Word | None = None
        """The php binary, where it is started by name."""
        self.php_settings: list[tuple[str, Word]] = []
        """What -d sets: the whole `name=value`, and its word."""
        self.script: Word | None = None
        """The PHP script, where there is one."""
        self.artisan: Word | None = None
        """The script, where it is artisan."""
        self.assumed = False
        """Whether artisan is only believed to stand behind a script that is given the name of one of its commands."""
        self.arguments: Sequence[Word] = words[1:]
        """What follows the program, or the PHP script."""


class Unwrapped:
    """All that one command text starts."""

    def __init__(self, text: Text) -> None:
        """Nothing yet."""
        self.text = text
        """The text and its holes."""
        self.words: list[Word] = []
        """The words as whoever starts it cuts them; for a shell those of all its simple commands."""
        self.ends: list[End] = []
        """The programs, in the order they stand."""
        self.refused: str | None = None
        """Why it cannot start at all, or None."""
        self.beyond: str | None = None
        """What of it is not followed, or None."""
        self.syntax: tuple[str, ...] = ()
        """Shell constructs in it that no shell sees."""
        self.intended = False
        """Whether it was read as the shell text it is mistaken for, since no program bears its first word's name."""


def basename(path: str) -> str:
    """The part behind the last slash."""
    return path.rpartition("/")[2]


def unwrap(source: str, runner: str, sh: str = "dash") -> Unwrapped:
    """What this command text starts.

    `runner` is "execve" (cut into words as shlex does, no shell) or "shell" (the whole is a shell's text). `sh` is what
    /bin/sh is there: "dash", "bash", or anything else for not known. Never raises for what the text holds.
    """
    text = Text(source if len(source) <= MAX_TEXT else "")
    found = Unwrapped(text)
    if len(source) > MAX_TEXT:
        found.beyond = f"it is {len(source):,} characters long, and no more than {MAX_TEXT:,} are read"
        return found
    walker = _Walker(found, sh)
    try:
        if runner == "shell":
            way = Way()
            way.shell = "sh"
            walker.shell_text(text.masked, None, way, 0)
        else:
            found.words = cut_for_execve(text.masked)
            if "\0" in source:
                found.refused = "it holds a NUL byte"
            found.syntax = _unseen_syntax(text, found.words)
            first = found.words[0].value if found.words else ""
            if first in _SHELL_WORDS or _ASSIGNMENT.match(first):
                found.intended = True
                way = Way()
                walker.shell_text(text.masked, None, way, 0)
            else:
                walker.program(found.words, Way(), 0)
    except Refused as error:
        found.refused = str(error)
    except (Beyond, RecursionError) as error:
        found.beyond = str(error) or "it is nested too deeply"
    return found


def _unseen_syntax(text: Text, words: list[Word]) -> tuple[str, ...]:
    """The shell constructs in words that no shell will look at; the text after a shell's own -c is not among them."""
    found: dict[str, None] = {}
    skip = -1
    for i, word in enumerate(words):
        value = word.value
        if i == skip:
            continue
        if i == 0 and _ASSIGNMENT.match(value):
            found["VAR=x cmd"] = None
        elif i == 0 and value in _SHELL_WORDS:
            found[value] = None
        if (name := basename(value)) in SHELLS or name in ("su", "runuser", "flock"):
            skip = _after_c(words, i)
        operator = value[:1] in _OPERATOR_STARTS
        if operator and _EXECVE_SYNTAX.fullmatch(value):
            found[value.lstrip("0123456789")] = None
        elif operator and _EXECVE_REDIRECT.fullmatch(value):
            found[">" if ">" in value else "<"] = None
        elif len(value) > 1 and value[-1] == ";" and text.source[word.end - 1] == ";":
            found[";"] = None
        if value == "~" or value.startswith("~/"):
            found["~"] = None
        if "$" in value and re.search(r"\$[A-Za-z_{(]", value):
            found["$VAR"] = None
        if "`" in value:
            found["`"] = None
        if "*" in value and not value.startswith("-") and "/" in value:
            found["*"] = None
    return tuple(found)


def _after_c(words: list[Word], i: int) -> int:
    """The index of the text that a shell at i is given with -c, or -1."""
    for j in range(i + 1, min(i + 12, len(words) - 1)):
        value = words[j].value
        if value == "--command" or (value[:1] == "-" and value[:2] != "--" and value.endswith("c")):
            return j + 1
    return -1


def is_php(name: str) -> bool:
    """Whether a file of this name is a php command line binary."""
    return _PHP.fullmatch(name) is not None


def php_version(path: str) -> str | None:
    """The version that a binary's path names ("8.2"), or None."""
    matches = list(_PHP_VERSION.finditer(path))
    if not matches:
        return None
    match = matches[-1]
    major, minor = (match[1], match[2]) if match[1] else (match[3], match[4])
    return f"{major}.{minor}" if minor else major


class _Walker:
    """Follows words and lists to their ends."""

    def __init__(self, found: Unwrapped, sh: str) -> None:
        self.found = found
        self.text = found.text
        self.sh = sh

    def end(self, end: End) -> None:
        if len(self.found.ends) >= MAX_ENDS:
            raise Beyond(f"it starts more than {MAX_ENDS} programs")
        self.found.ends.append(end)

    # --- words ---

    def program(self, words: Sequence[Word], way: Way, shells: int) -> None:
        """Follow a program and its arguments through every wrapper in front."""
        for _ in range(MAX_WRAPPERS):
            if not words:
                return
            name = basename(words[0].value)
            following = self._unwrapped(name, words, way, shells)
            if following is None:
                return
            words = following
        raise Beyond(f"more than {MAX_WRAPPERS} programs start each other")

    def _unwrapped(self, name: str, words: Sequence[Word], way: Way, shells: int) -> Sequence[Word] | None:
        """The words behind one wrapper, or None where the end (or a shell's text) was reached."""
        if name == "env":
            return self._env(words, way)
        if name in ("su", "runuser"):
            return self._su(name, words, way, shells)
        if name in SHELLS:
            return self._shell(name, words, way, shells)
        if name in ("sail", "ddev", "lando"):
            return self._sail(name, words, way)
        if name == "frankenphp" and len(words) > 1 and words[1].value == "php-cli":
            self._php(words[1:], way, words[0])
            return None
        if is_php(name):
            self._php(words, way, words[0])
            return None
        if name == "artisan":
            self._artisan(words, way)
            return None
        wrapper = WRAPPERS.get(name)
        if wrapper is not None:
            return self._wrapper(name, wrapper, words, way, shells)
        if name in _NO_RUNNERS or _is_other_program(name):
            self.end(End(words, way))
            return None
        self._stranger(words, way, shells)
        return None

    def _artisan(self, words: Sequence[Word], way: Way) -> None:
        end = End(words, way)
        end.script = end.artisan = words[0]
        self.end(end)

    def _php(self, words: Sequence[Word], way: Way, binary: Word) -> None:
        end = End(words, way)
        end.php = binary
        i = 1
        while i < len(words):
            value = words[i].value
            if value == "--":
                i += 1
                break
            if value[:1] != "-" or value == "-":
                break
            name, separate, given = value, False, ""
            if value[:2] == "--":
                name, _, given = value.partition("=")
                separate = name in _PHP_VALUED and "=" not in value
            else:
                name, given = value[:2], value[2:]
                separate = name in _PHP_VALUED and not given
            word = words[i]
            if separate:
                i += 1
                if i >= len(words):
                    break
                word = words[i]
                given = word.value
            if name in ("-d", "--define"):
                end.php_settings.append((given, word))
            elif name in ("-f", "--file"):
                end.script = word
            elif name in ("-r", "--run", "-S", "--server", "-B", "-R", "-F", "-E"):
                end.arguments = ()
                self.end(end)
                return
            i += 1
        if end.script is None and i < len(words):
            end.script = words[i]
            i += 1
        end.arguments = words[i:]
        if end.script is not None and basename(end.script.value) == "artisan":
            end.artisan = end.script
        self.end(end)

    def _env(self, words: Sequence[Word], way: Way) -> Sequence[Word] | None:
        _add(way, "env")
        i = 1
        while i < len(words):
            value = words[i].value
            if value in ("-u", "--unset", "-C", "--chdir"):
                if value in ("-C", "--chdir") and i + 1 < len(words):
                    _go(way, words[i + 1])
                i += 2
            elif value.startswith("--chdir="):
                _go(way, _behind(words[i], len("--chdir=")))
                i += 1
            elif value in ("-S", "--split-string") and i + 1 < len(words):
                inner = cut_for_execve(words[i + 1].value, words[i + 1].at)
                return [*inner, *words[i + 2 :]]
            elif value.startswith("-") or _ASSIGNMENT.match(value):
                i += 1
            else:
                break
        return words[i:]

    def _wrapper(
        self, name: str, wrapper: Wrapper, words: Sequence[Word], way: Way, shells: int
    ) -> Sequence[Word] | None:
        i = 1
        label = name
        positionals = wrapper.positionals
        subcommand = not wrapper.subcommand
        user_next = wrapper.user_first
        background = wrapper.background
        waits = False
        if wrapper.container:  # what holds outside of a container does not hold within
            way.directory, way.directory_places, way.user = None, (), None
            way.open["user"] = "the container decides it"
        while i < len(words):
            value = words[i].value
            if value == "--":
                i += 1
                if positionals and not subcommand:
                    continue
                break
            if value[:1] == "-" and len(value) > 1:
                if name == "flock" and value in ("-c", "--command") and i + 1 < len(words):
                    _add(way, "flock")
                    self._nested("sh", words[i + 1], way, shells)
                    return None
                option, word, i = _option(wrapper, words, i)
                if word is not None and option in wrapper.user:
                    self._as(way, word)
                if word is not None and option in wrapper.directory:
                    _go(way, word)
                if name == "setsid":
                    background = background or "f" in value
                    waits = waits or "w" in value
                if wrapper.container and value in ("-d", "--detach"):
                    background = True
                continue
            if not subcommand:
                if name in ("docker", "podman") and value == "compose":
                    label = f"{name} compose"
                    i += 1
                    continue
                if value not in wrapper.subcommand and not (label.endswith("compose") and value == "run"):
                    way.open.pop("user", None)
                    if any(basename(word.value) in ("artisan", "queue:work") for word in words):
                        way.open["everything"] = f"what follows {label} {clipped(value)} is not followed"
                    self.end(End(words, way))
                    return None
                label = f"{label} {value}"
                subcommand = True
                i += 1
                continue
            if name == "sudo" and _ASSIGNMENT.match(value):
                i += 1
                continue
            if positionals > 0:
                if user_next:
                    self._as(way, words[i])
                    user_next = False
                positionals -= 1
                i += 1
                if name == "flock" and i + 1 < len(words) and words[i].value in ("-c", "--command"):
                    _add(way, "flock")
                    self._nested("sh", words[i + 1], way, shells)
                    return None
                continue
            break
        _add(way, label)
        if wrapper.container:
            way.container = True
        if name in ("sudo", "doas") and way.user is None and "user" not in way.open:
            way.user = "root"
        # a program that supervisor starts leads its process group, so setsid forks to be able to leave it
        if name == "setsid" and not waits and not way.shell:
            background = True
        if background:
            way.background = True
        return words[i:]

    def _su(self, name: str, words: Sequence[Word], way: Way, shells: int) -> Sequence[Word] | None:
        """`su [-] [user] [-s shell] [-c text]`, `runuser -u user -- command`."""
        shell, script = "login", None
        user: Word | None = None
        i = 1
        while i < len(words):
            value = words[i].value
            option, equals, _ = value.partition("=")
            if value in ("-", "-l", "--login") or (value[:2] == "-l" and value[1:].isalpha()):
                way.open["directory"] = f"{name} - changes to the home of its user"
            if value[:2] != "--" and value.endswith("c") and value[1:].isalpha():
                option, equals = "-c", ""
            if option in ("-c", "--command", "-s", "--shell", "-u", "--user", "-g", "--group", "-G", "-w", "-T"):
                word = _behind(words[i], len(option) + 1) if equals else (words[i + 1] if i + 1 < len(words) else None)
                i += 1 if equals else 2
                if word is None:
                    continue
                if option in ("-c", "--command"):
                    script = word
                elif option in ("-s", "--shell"):
                    shell = basename(word.value)
                elif option in ("-u", "--user"):
                    user = word
                    if name == "runuser" and script is None:
                        rest = self._runuser_rest(words, i)
                        if rest is not None:
                            self._as(way, user)
                            _add(way, name)
                            return rest
                continue
            if value.startswith("-"):
                i += 1
                continue
            if user is None:
                user = words[i]
            i += 1
        _add(way, name)
        if user is not None:
            self._as(way, user)
        else:
            way.user = "root"
        if script is None:
            self.end(End(words, way))
            return None
        self._nested(shell, script, way, shells)
        return None

    @staticmethod
    def _runuser_rest(words: Sequence[Word], i: int) -> Sequence[Word] | None:
        while i < len(words) and words[i].value.startswith("-"):
            if words[i].value == "--":
                return words[i + 1 :]
            if words[i].value in ("-c", "--command"):
                return None
            i += 1
        return words[i:]

    def _sail(self, name: str, words: Sequence[Word], way: Way) -> Sequence[Word] | None:
        i = 1
        if i < len(words) and words[i].value == "exec":
            i += 1
        if i >= len(words) or words[i].value not in ("artisan", "art", "php"):
            self.end(End(words, way))
            return None
        _add(way, name)
        way.container = True
        if words[i].value == "art":
            end = End(words[i:], way)
            end.script = end.artisan = words[i]
            self.end(end)
            return None
        return words[i:]

    def _as(self, way: Way, word: Word) -> None:
        unknowns = self.text.unknowns(word)
        if unknowns:
            way.open["user"] = f"it is {clipped(unknowns[0])}, whose value is not known here"
            way.user = None
            return
        way.open.pop("user", None)
        way.user = word.value.partition(":")[0]

    def _stranger(self, words: Sequence[Word], way: Way, shells: int) -> None:
        """A program nothing is known of: if its arguments hold artisan's, it is taken for a script in front of them."""
        first = words[0]
        hole = self.text.is_hole(first) or bool(self.text.unknowns(first))
        if hole and len(words) > 1 and basename(words[1].value) == "artisan":
            end = End(words, way)  # the binary of php is a variable
            end.script = end.artisan = words[1]
            end.arguments = words[2:]
            way.open["php"] = f"it is {clipped(self.text.shown(first.value))}, whose value is not known here"
            self.end(end)
            return
        for i in range(1, min(len(words), 64)):
            value = words[i].value
            name = basename(value)
            known = name == "artisan" or (
                is_php(name) and any(basename(word.value) == "artisan" for word in words[i + 1 : i + 12])
            )
            bare = value in ("queue:work", "queue:listen", "schedule:work", "schedule:run")
            if not known and not bare:
                continue
            inner = way.copy()
            shown = self.text.shown(first.value)
            reason = f"{clipped(shown)} starts it, and may change that in ways that are not seen here"
            _add(inner, shown)
            inner.stays = None
            for name in ("user", "directory", "options", "php", "php_settings", "shell_stays", "backgrounded"):
                inner.open[name] = reason
            if bare:
                end = End(words[i - 1 :], inner)
                end.arguments = words[i:]
                end.assumed = True
                inner.open["artisan"] = reason
                self.end(end)
            else:
                inner.open.pop("php")
                self.program(words[i:], inner, shells)
            return
        end = End(words, way)
        if hole:
            way.open["everything"] = (
                f"the program is {clipped(self.text.shown(first.value))}, whose value is not known here"
            )
        self.end(end)

    # --- shells ---

    def _shell(self, name: str, words: Sequence[Word], way: Way, shells: int) -> Sequence[Word] | None:
        i = 1
        if name == "busybox":
            if len(words) > 1 and words[1].value in ("sh", "ash"):
                name, i = "ash", 2
            else:
                return words[1:]
        flags = ""
        has_text = False
        while i < len(words):
            value = words[i].value
            if value in ("--login", "--norc", "--noprofile", "--posix", "--restricted", "--verbose"):
                i += 1
                continue
            if value in ("-o", "+o", "-O", "+O", "--rcfile", "--init-file"):
                i += 2
                continue
            if value == "--":
                i += 1
                break
            if value[:1] in "-+" and len(value) > 1 and value[1:].isalpha():
                has_text = has_text or (value[0] == "-" and "c" in value)
                flags += value[1:]
                i += 2 if value.endswith("o") else 1
                continue
            break
        if not has_text:
            if i < len(words) and basename(words[i].value) not in SHELLS:
                self._stranger(words[i:], way, shells)  # a script, run by this shell
            else:
                self.end(End(words, way))
            return None
        if i >= len(words):
            raise Refused(f"{name} -c is given no text")
        way.shell = name
        option = "-lc" if "l" in flags else "-c"
        _add(way, f"{name} {option}")
        self._nested(name, words[i], way, shells, labelled=True)
        return None

    def _nested(self, shell: str, word: Word, way: Way, shells: int, *, labelled: bool = False) -> None:
        if shells >= MAX_SHELLS:
            raise Beyond("shells are nested in it too deeply")
        if not labelled and shell != "login":
            _add(way, f"{shell} -c")
        way.shell = shell
        self.shell_text(word.value, word.at, way, shells + 1)

    def shell_text(self, chars: str, at: Sequence[int] | None, way: Way, shells: int) -> None:
        """Follow every command of a shell's text."""
        listing = read_shell(self.text, chars, at)
        scope = _Scope(way.shell, self.sh, "trap" in chars)
        self._listing(listing, way.copy(), scope, shells, top=True)

    def _listing(self, listing: Listing, way: Way, scope: _Scope, shells: int, *, top: bool) -> None:
        last = len(listing.items) - 1
        for number, (_, pipeline, background) in enumerate(listing.items):
            tail = top and number == last and not background and not pipeline.negated
            one = len(pipeline.commands) == 1
            for node in pipeline.commands:
                own = way if one and not background else way.copy()
                if background:
                    own.background = True
                self._node(
                    node, own, scope, shells,
                    tail=tail and one,
                    own_process=one and not background,
                )  # fmt: skip

    def _node(self, node: Node, way: Way, scope: _Scope, shells: int, *, tail: bool, own_process: bool) -> None:
        if isinstance(node, Simple):
            self._simple(node, way, scope, shells, tail=tail, own_process=own_process and scope.own)
            return
        inner = way.copy() if node.kind == "(" else way
        outer_redirects = inner.redirects
        if node.redirects:
            inner.redirects = (*outer_redirects, *node.redirects)
        looped = inner.loop, inner.loop_sleep
        if node.kind in ("while", "until", "for"):
            inner.loop = True
            inner.loop_sleep = self._sleep_of(node.lists[-1])
        before = inner.directory
        owned = scope.own
        scope.own = owned and own_process and node.kind != "("
        for part in node.lists:
            self._listing(part, inner, scope, shells, top=False)
        scope.own = owned
        inner.redirects = outer_redirects
        if node.kind not in "({" and inner.directory != before:
            inner.open["directory"] = f"it depends on {'an' if node.kind == 'if' else 'a'} {node.kind}"
        inner.loop, inner.loop_sleep = looped

    def _sleep_of(self, listing: Listing) -> str | None:
        for _, pipeline, _ in listing.items:
            for node in pipeline.commands:
                if isinstance(node, Simple) and len(node.words) > 1 and basename(node.words[0].value) == "sleep":
                    return self.text.shown(node.words[1].value)
        return None

    def _simple(self, simple: Simple, way: Way, scope: _Scope, shells: int, *, tail: bool, own_process: bool) -> None:
        words: Sequence[Word] = simple.words
        if len(self.found.words) < MAX_TEXT and shells == 0 and not self.found.intended:
            self.found.words.extend(words)
        i = 0
        while i < len(words) and _ASSIGNMENT.match(words[i].value):
            i += 1
        words = words[i:]
        if not words:
            return
        first = words[0].value
        if first == "cd":
            arguments = [word for word in words[1:] if word.value not in ("-P", "-L", "--")]
            if arguments and arguments[0].value != "-":
                if arguments[0].value.startswith("/"):
                    way.open.pop("directory", None)
                _go(way, arguments[0])
            else:
                way.open["directory"] = "cd changes to the home of its user"
            return
        if first in (".", "source", "eval"):
            way.open.setdefault("environment", f"{first} reads what is not known here")
            return
        inner = way.copy()
        inner.redirects = (*inner.redirects, *simple.redirects)
        inner.assigned = inner.assigned or i > 0
        exec_place = words[0].start
        replaced = False
        while words and words[0].value in ("exec", "command", "builtin"):
            if words[0].value == "exec":
                replaced = own_process
                words = words[1:]
                while words and words[0].value in ("-a", "-c", "-l"):
                    words = words[2:] if words[0].value == "-a" else words[1:]
            else:
                words = words[1:]
        if not words:
            return
        if not replaced:
            stays = scope.stays(tail=tail, redirected=bool(simple.redirects))
            if stays:
                inner.stays = True
            elif stays is None and inner.stays is False:
                inner.stays = None
            if stays is not False:
                may = own_process and not inner.loop and tail
                inner.exec_places = (*inner.exec_places, exec_place if may else None)
        self.program(words, inner, shells)


class _Scope:
    """One shell process and what it does with its last command."""

    __slots__ = ("own", "shell", "traps")

    def __init__(self, shell: str, sh: str, traps: bool) -> None:
        if shell == "sh" and sh:
            shell = sh
        self.shell = shell
        self.traps = traps
        self.own = True

    def stays(self, *, tail: bool, redirected: bool) -> bool | None:
        """Whether this shell stays while a command without `exec` runs.

        dash 0.5.12 always does; bash 5.1 and later becomes the last command of a list, unless that is redirected or a
        trap is set.
        """
        if not self.shell:  # nothing but the text's own mistake calls for a shell
            return False
        if self.shell == "dash":
            return True
        if self.shell == "bash":
            return not tail or redirected or self.traps
        return None if tail else True


def _is_other_program(name: str) -> bool:
    return name in _DAEMONS or name.startswith("php-fpm")


def _option(wrapper: Wrapper, words: Sequence[Word], i: int) -> tuple[str, Word | None, int]:
    """The wrapper's option at i, its value where it has one, and the index behind both."""
    value = words[i].value
    following = words[i + 1] if i + 1 < len(words) else None
    option, equals, _ = value.partition("=")
    if option in wrapper.valued and not equals:
        return option, following, i + 2
    if equals:
        return option, _behind(words[i], len(option) + 1), i + 1
    if value[:2] == "--" or len(value) == 2:
        return option, None, i + 1
    if value[:2] in wrapper.valued:
        return value[:2], _behind(words[i], 2), i + 1
    last = f"-{value[-1]}"  # of a group of letters the last one may take a value: -itu 33
    if last in wrapper.valued and value[1:].isalpha():
        return last, following, i + 2
    return option, None, i + 1


def _add(way: Way, label: str) -> None:
    if label:
        way.wrappers = (*way.wrappers, label)


def _behind(word: Word, characters: int) -> Word:
    """The word without its first characters: an option's value."""
    at = word.at[characters:]
    start = at[0] if at else word.end
    return Word(word.value[characters:], at, start, word.end, expanded=word.expanded)


def _go(way: Way, word: Word) -> None:
    """Change the folder, as `cd` does."""
    target = word.value
    if way.directory is not None and not target.startswith("/"):
        way.directory = f"{way.directory.rstrip('/')}/{target}"
        way.directory_places = (*way.directory_places, word)
    else:
        way.directory = target
        way.directory_places = (word,)


def pieces(node: Listing | Pipeline | Node) -> Iterator[Simple]:
    """Every simple command below a node, in order."""
    if isinstance(node, Simple):
        yield node
    elif isinstance(node, Compound):
        for part in node.lists:
            yield from pieces(part)
    elif isinstance(node, Pipeline):
        for command in node.commands:
            yield from pieces(command)
    else:
        for _, pipeline, _ in node.items:
            yield from pieces(pipeline)


def is_operator(value: str) -> bool:
    """Whether a word is a shell's operator or redirection."""
    return _EXECVE_SYNTAX.fullmatch(value) is not None or _EXECVE_REDIRECT.fullmatch(value) is not None
