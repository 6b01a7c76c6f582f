"""The environment that an app's configuration is read in: its one .env on a host; in a repository what its files agree on.

A repository shows what is meant, not what is set. An example file is written for a developer's machine: that it says
`sync` or `local` proves nothing about production, so such a value is unknown. What no file sets is left to the default
that the configuration itself gives; where there is no file at all, those names that every deployment sets are unknown too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from auditor.errors import Unreadable
from auditor.facts.origin import Origin, origin
from auditor.sources.dotenv import DotEnv, env_value, parse
from auditor.sources.php.context import EnvLookup
from auditor.sources.php.values import MISSING, Missing, Unknown
from auditor.sources.tree import Tree

DEVELOPERS_VALUES = {
    "QUEUE_CONNECTION": ("sync", "null"),
    "QUEUE_DRIVER": ("sync", "null"),
    "APP_ENV": ("local", "testing", "development", "dev"),
    "CACHE_DRIVER": ("array", "null"),
    "CACHE_STORE": ("array", "null"),
    "APP_DEBUG": ("true",),
    "DB_CONNECTION": ("sqlite",),
}
"""Values that an example file holds for a developer's machine."""


class Environment:
    """What `env()` finds, and where."""

    def __init__(
        self, path: str | None, file: DotEnv | None, *, example: bool, lookup: EnvLookup, lines: list[str]
    ) -> None:
        """The one file that is read (None where there is none), and the lookup that the configuration gets."""
        self.path = path
        self.file = file
        self.example = example
        self.lookup = lookup
        self.lines = lines

    def sets(self, name: str) -> bool:
        """Whether the file sets a name."""
        return self.file is not None and any(entry.name == name for entry in self.file.entries)

    def place(self, line: int) -> Origin:
        """A line of the file."""
        text = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        return origin(self.path or "", line, text)

    def place_of(self, name: str) -> Origin | None:
        """Where the file last sets a name."""
        if self.file is None:
            return None
        lines = [entry.line for entry in self.file.entries if entry.name == name]
        return self.place(lines[-1]) if lines else None


def read_environment(
    tree: Tree,
    base: str,
    kind: str,
    read: Callable[[str], bytes | None],
    env_files: tuple[str, ...],
    contained: Mapping[str, str | Unknown] | None = None,
) -> Environment:
    """The environment of the app whose folder is `base` (with its slash).

    What is `contained` in its containers' own environment counts before every file: phpdotenv changes nothing that is set.
    """
    data = read(".env")
    if kind == "host" or (data is not None and not env_files):
        found = _own(base, data)
    else:
        texts = [(path, text) for path in _candidates(tree, base, env_files) if (text := _read(tree, path)) is not None]
        found = _agreed(base, texts)
    return _within(found, contained) if contained else found


def _within(found: Environment, contained: Mapping[str, str | Unknown]) -> Environment:
    """An environment inside containers that set some of it."""
    files = found.lookup

    def lookup(name: str) -> str | bool | Unknown | Missing | None:
        value = contained.get(name)
        return files(name) if value is None else env_value(value) if isinstance(value, str) else value

    return Environment(found.path, found.file, example=found.example, lookup=lookup, lines=found.lines)


def _own(base: str, data: bytes | None) -> Environment:
    if data is None:
        answer = Unknown("there is no .env here, so its values come from an environment that is not seen", 0)
        return Environment(None, None, example=False, lookup=lambda _: answer, lines=[])
    path = base + ".env"
    file = parse(data, path)
    values, unread = _values(file)

    def lookup(name: str) -> str | bool | Unknown | Missing | None:
        if file.refusal is not None:
            return Unknown("phpdotenv refuses its .env", file.refusal.line)
        if unread is not None:
            return unread
        if name not in values:
            return MISSING
        text = values[name]
        return MISSING if text is None else env_value(text)

    return Environment(path, file, example=False, lookup=lookup, lines=_lines(data))


def _candidates(tree: Tree, base: str, env_files: tuple[str, ...]) -> list[str]:
    """The app's own files first; then those elsewhere in the repository, which a deployment may use in their place."""
    own = [base + name for name in (".env", ".env.production", ".env.prod", ".env.docker", ".env.example")]
    found = [path for path in own if tree.is_file(path)]
    return list(dict.fromkeys([*found, *env_files]))


def is_example(path: str) -> bool:
    """Whether a file is written as an example, or for development or tests."""
    name = path.rpartition("/")[2].lower()
    return any(
        word in name for word in ("example", "sample", "dist", "template", "local", "dev", "test", "ci", "sail", "dusk")
    )


def _agreed(base: str, texts: list[tuple[str, bytes]]) -> Environment:
    files = [(path, parse(data, path), is_example(path)) for path, data in texts]
    found: dict[str, dict[str, bool]] = {}
    for _, file, example in files:
        if file.refusal is None:
            for name, text in _values(file)[0].items():
                if text is not None:
                    found.setdefault(name, {}).setdefault(text, example)

    unseen = Unknown("no environment file of the app is in this repository", 0)

    def lookup(name: str) -> str | bool | Unknown | Missing | None:
        values = found.get(name)
        if not values:
            return unseen if not files and name in DEVELOPERS_VALUES else MISSING
        meant = [
            text
            for text, example in values.items()
            if not (example and text.lower() in DEVELOPERS_VALUES.get(name, ()))
        ]
        if not meant:
            return Unknown(f"only example files set {name}, to a value for development", 0)
        if len(meant) > 1:
            return Unknown(f"the environment files here set {name} to different values", 0)
        return env_value(meant[0])

    own = next(
        ((p, f, e, d) for (p, f, e), (_, d) in zip(files, texts, strict=True) if p.startswith(base + ".env")), None
    )
    if own is None:
        return Environment(None, None, example=False, lookup=lookup, lines=[])
    path, file, example, data = own
    return Environment(path, file, example=example, lookup=lookup, lines=_lines(data))


def _values(file: DotEnv) -> tuple[Mapping[str, str | None], Unknown | None]:
    """What it sets; nothing, with the reason, where that cannot be worked out."""
    if file.refusal is not None:
        return {}, None
    try:
        return file.values(), None
    except Unreadable as problem:
        return {}, Unknown(problem.reason, problem.line or 0)


def _read(tree: Tree, path: str) -> bytes | None:
    try:
        return tree.read(path, 1024 * 1024)
    except Unreadable:
        return None


def _lines(data: bytes) -> list[str]:
    return data.decode("utf-8", "replace").splitlines()
