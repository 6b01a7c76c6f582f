"""One file, or a main file and what its [include] names, merged as supervisor's one parser merges them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from auditor.dialects.conf import Assignment, Lexed, lex
from auditor.errors import Unreadable
from auditor.facts.origin import Mark, Origin, declared, origin
from auditor.facts.redaction import HIDDEN
from auditor.facts.supervisor import Oddity
from auditor.patterns import late
from auditor.sources.supervisor.expand import PLACEHOLDER, Names, expand
from auditor.sources.supervisor.oddities import hide, oddity
from auditor.sources.supervisor.text import text_oddities
from auditor.sources.supervisor.vocabulary import kind_of
from auditor.sources.tree import Tree

HERE = "%(here)s"
_TEMPLATE = late(r"\s*(?:\{%|\{\{|\{#|<%|<\?|@(?:if|else|end|for))")


class Written(msgspec.Struct, gc=False):
    """One assignment in one file."""

    name: str
    """The option, in lower case."""
    value: str
    """Its value, with %(here)s already put in where supervisor does that textually."""
    origin: Origin
    """Where it is."""
    mark: Mark
    """Declared there."""
    shown: str
    """Its value as it may be shown, secrets hidden."""
    refusal: str | None = None
    """Why supervisord refuses the value."""
    oddity: str | None = None
    """The kind of the oddity that tells the refusal in full."""


class Merged(msgspec.Struct):
    """One section, from all files."""

    name: str
    """Its name."""
    kind: str
    """Its kind."""
    headers: list[Origin]
    """Each header."""
    options: dict[str, list[Written]]
    """Each option's assignments, in reading order."""


class Text(msgspec.Struct):
    """Everything that was read, before any of it is given a meaning."""

    main: str
    """The file it began with."""
    here: str
    """The folder of the main file, as an absolute path of the audited root."""
    files: list[str]
    """Every file read."""
    sections: dict[str, Merged]
    """Every section but [DEFAULT], by name, in the order they first come."""
    defaults: Merged
    """[DEFAULT]."""
    oddities: list[Oddity]
    """What is odd about the text itself."""

    def get(self, section: Merged, option: str) -> Written | None:
        """The effective assignment: the section's last, else [DEFAULT]'s last."""
        found = section.options.get(option)
        if found is None and self.defaults.options:
            found = self.defaults.options.get(option)
        return None if found is None else found[-1]

    def of_kind(self, kind: str) -> list[Merged]:
        """The sections of one kind, in order."""
        return [section for section in self.sections.values() if section.kind == kind]


def read_all(tree: Tree, main: str, overrides: Mapping[str, bytes] | None = None, *, follow: bool = True) -> Text:
    """The main file and, with `follow`, what its [include] names; raises Unreadable for the main file."""
    overrides = overrides or {}
    text = start(main)
    lexed = lex(_bytes(tree, main, overrides))
    include = follow and any(block.name == "include" for block in lexed.blocks)
    add(text, main, lexed, here=text.here if include else None)
    if include:
        paths = _included(tree, text, overrides)
        last = {path: place for place, path in enumerate(paths)}
        for place, path in enumerate(paths):
            if last[path] == place:  # of one file read twice, only the last reading counts
                _include(tree, text, path, overrides)
    return text


def start(main: str) -> Text:
    """Nothing read yet."""
    return Text(main, _folder(main), [], {}, Merged("DEFAULT", "default", [], {}), [])


def _folder(path: str) -> str:
    return "/" + path.rpartition("/")[0]


def _bytes(tree: Tree, path: str, overrides: Mapping[str, bytes]) -> bytes:
    found = overrides.get(path)
    return tree.read(path) if found is None else found


def add(text: Text, path: str, lexed: Lexed, *, here: str | None) -> None:
    """Merge one file in; `here` is put in for %(here)s where supervisor does so while reading."""
    first = not text.files
    text.files.append(path)
    lines = lexed.lines
    for block in lexed.blocks:
        place = origin(path, block.line, lines[block.line - 1])
        section = text.defaults if block.name == "DEFAULT" else text.sections.get(block.name)
        if section is None:
            section = text.sections[block.name] = Merged(block.name, kind_of(block.name), [], {})
        if section.kind == "include" and not first:
            text.oddities.append(
                oddity("include-nested", "supervisor follows [include] in the main file only", place, section="include")
            )
            continue
        section.headers.append(place)
        options = section.options
        for assignment in block.assignments:
            spelled = assignment.spelled
            if not spelled[0].isalnum() and (spelled[0] == "[" or _TEMPLATE.match(spelled)):
                continue  # told by text_oddities
            written = _written(path, lines, assignment, here)
            before = options.get(assignment.name)
            if before is None:
                options[assignment.name] = [written]
            else:
                before.append(written)
    text.oddities.extend(text_oddities(path, lexed))


def _written(path: str, lines: Sequence[str], assignment: Assignment, here: str | None) -> Written:
    line = lines[assignment.line - 1]
    if assignment.name == "password" and assignment.value:
        line = line[: assignment.start] + HIDDEN
    value = assignment.value
    if here is not None and HERE in value:
        value = value.replace(HERE, here)
    place = origin(path, assignment.line, line)
    # Where the line hides nothing, its value hides nothing.
    plain = assignment.name != "password" and not assignment.more and place.text == line
    return Written(assignment.name, value, place, declared(place), value if plain else hide(assignment.name, value))


def _included(tree: Tree, text: Text, overrides: Mapping[str, bytes]) -> list[str]:
    """The paths that files= of the main file matches, in supervisor's order."""
    section = text.sections["include"]
    found = text.get(section, "files")
    if found is None:
        _odd(text, "include-without-files", "[include] has no files=", section.headers[-1], refuses=True)
        return []
    for lost in section.options.get("files", ())[:-1]:
        if lost.value.split() == found.value.split():
            continue
        detail = f'only the last files= counts, so "{lost.value}" is not read'
        _odd(text, "include-lost", detail, lost.origin, lost.value)
    names = Names({"here": text.here})
    done = expand(found.value, names)
    if PLACEHOLDER.search(found.value):
        _odd(text, "include-unknown", "its pattern is a template's placeholder", found.origin, found.value)
        return []
    if done.kind is not None:
        if done.refused:
            found.refusal, found.oddity = done.fault, done.kind
        _odd(text, done.kind, done.fault, found.origin, found.value, refuses=done.refused)
        return []
    base = text.here.lstrip("/")
    paths: list[str] = []
    for pattern in done.text.split():
        if done.symbols and any(names.symbol(symbol) in pattern for symbol in done.symbols):
            _odd(text, "include-unknown", f'"{pattern}" holds what only supervisord knows', found.origin, pattern)
            continue
        matches = tree.glob(pattern, base, overrides)
        if not matches and _hidden(tree, tree.relative(pattern, base)):
            _odd(text, "include-not-read", f'what "{pattern}" matches cannot be listed', found.origin, pattern)
        elif not matches:
            _odd(text, "include-matches-nothing", f'no file matches "{pattern}"', found.origin, pattern)
        paths += matches
    return paths


def _hidden(tree: Tree, pattern: str) -> bool:
    """Whether a folder that a pattern looks into may not be looked into."""
    return any(pattern == path or pattern.startswith(f"{path}/") for path in tree.unread)


def _include(tree: Tree, text: Text, path: str, overrides: Mapping[str, bytes]) -> None:
    found = text.get(text.sections["include"], "files")
    assert found is not None
    try:
        data = _bytes(tree, path, overrides)
    except Unreadable as error:
        certain = not tree.is_file(path)
        kind = "include-unreadable" if certain else "include-not-read"
        detail = f"{path} is matched, but {error.reason}"
        if certain:
            detail += "; supervisord skips it without a word"
        _odd(text, kind, detail, found.origin, path)
        return
    if path == text.main:
        return  # it includes itself: read again, it says the same
    add(text, path, lex(data), here=_folder(path))


def _odd(text: Text, kind: str, detail: str, place: Origin, value: str | None = None, *, refuses: bool = False) -> None:
    text.oddities.append(oddity(kind, detail, place, refuses=refuses, section="include", setting="files", value=value))
