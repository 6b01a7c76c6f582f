"""The configuration file: found upward from what is audited, checked whole, every value with its line."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from auditor.dialects import yaml_text
from auditor.patterns import late
from auditor.settings.shape import KEYS, MOST, NAME, SEVERITIES, Choice, Key, Override, SettingsRefused

MAX_FOLDERS = 64
"""No further upward is a configuration looked for."""
_DAY = late(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")


class Settings(NamedTuple):
    """A checked configuration file."""

    path: str
    """Where it lies, as a report shows it."""
    values: Mapping[str, Any]
    """Key of KEYS to value: only those that are written."""
    lines: Mapping[str, int]
    """Key to its line."""
    places: Mapping[tuple[str, str], int] = {}
    """Key and rule to the line that names the rule: of "ignore", "override" and "select"."""

    @property
    def folder(self) -> str:
        """The folder it lies in, absolute."""
        return os.path.dirname(os.path.abspath(self.path))


NOTHING = Settings("", {}, {})
"""No configuration file."""


def find(path: str) -> str | None:
    """The nearest queue-auditor.yaml in the audited folder or above it, no higher than its checkout; a host's lies in etc/."""
    here = os.path.realpath(path)
    if not os.path.isdir(here):
        here = os.path.dirname(here)
    for name in (NAME, f"etc/{NAME}"):
        if os.path.isfile(os.path.join(here, name)):
            return _shown(os.path.join(here, name))
    for _ in range(MAX_FOLDERS):
        above = os.path.dirname(here)
        if os.path.exists(os.path.join(here, ".git")) or above == here:
            return None
        here = above
        if os.path.isfile(os.path.join(here, NAME)):
            return _shown(os.path.join(here, NAME))
    return None


def _shown(file: str) -> str:
    relative = os.path.relpath(file)
    return file if relative.startswith("../..") else relative


def read(path: str) -> Settings:
    """A configuration file; raises SettingsRefused with file and line."""
    try:
        with open(path, "rb") as stream:
            data = stream.read(yaml_text.MAX_BYTES + 1)
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise SettingsRefused(path, "it is not UTF-8") from None
    except OSError as problem:
        raise SettingsRefused(path, (problem.strerror or "it cannot be read").lower()) from None
    found, lines = yaml_text.load(text, path, SettingsRefused)
    return _Reader(path, found, lines).settings()


class _Reader:
    def __init__(self, path: str, data: Any, lines: yaml_text.Lines) -> None:
        self.path = path
        self.data = {} if data is None else data
        self.lines = lines
        self.places: dict[tuple[str, str], int] = {}

    def refuse(self, reason: str, *at: str | int) -> SettingsRefused:
        key: tuple[str | int, ...] = at
        while key and key not in self.lines:
            key = key[:-1]
        return SettingsRefused(self.path, reason, self.lines.get(key))

    def settings(self) -> Settings:
        if not isinstance(self.data, dict):
            raise self.refuse("a configuration is a mapping of keys")
        values = {}
        for name, value in self.data.items():
            key = KEYS.get(name)
            if key is None:
                raise self.refuse(f"there is no key “{name}”; {_near(name, KEYS)}", name)
            values[name] = self.value(name, key, value)
        return Settings(self.path, values, {name: self.lines.get((name,), 1) for name in values}, self.places)

    def value(self, name: str, key: Key, value: Any) -> Any:
        match key.kind:
            case "flag":
                if not isinstance(value, bool):
                    raise self.refuse(f"“{name}” is true or false", name)
                return value
            case "text":
                return self.text(value, key, name)
            case "texts":
                return self.texts(value, key, name)
            case "number":
                return self.number(value, key, name)
            case "section":
                return self.section(name, key, value)
            case "choices":
                listed = value if isinstance(value, list) else [value]
                return tuple(self.choice(item, name, index) for index, item in enumerate(listed))
            case _:
                return self.overrides(value, name)

    def section(self, name: str, key: Key, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.refuse(f"“{name}” is a mapping of keys", name)
        found: dict[str, Any] = {}
        for inner, held in value.items():
            spec = key.inner.get(inner)
            if spec is None:
                raise self.refuse(f"“{name}” has no key “{inner}”; {_near(inner, key.inner)}", name, inner)
            match spec.kind:
                case "number":
                    found[inner] = self.number(held, spec, name, inner)
                case "texts":
                    found[inner] = self.texts(held, spec, name, inner)
                case _:
                    found[inner] = self.text(held, spec, name, inner)
        return found

    def number(self, value: Any, key: Key, *at: str | int) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not key.least <= value < MOST:
            raise self.refuse(f"“{at[-1]}” is a number of at least {key.least:g}", *at)
        return value

    def text(self, value: Any, key: Key, *at: str | int) -> str:
        if not isinstance(value, str) or not value:
            named = next(step for step in reversed(at) if isinstance(step, str))
            raise self.refuse(f"“{named}” is a text", *at)
        if key.among and value not in key.among:
            raise self.refuse(f"“{value}” is none of {', '.join(key.among)}; {_near(value, key.among)}", *at)
        return self.below(value) if key.path else value

    def texts(self, value: Any, key: Key, *at: str | int) -> tuple[str, ...]:
        listed = value if isinstance(value, list) else [value]
        found = tuple(self.text(item, key, *at, index) for index, item in enumerate(listed))
        if at == ("select",):
            for index, item in enumerate(found):
                self.name_rule("select", item, *at, index)
        return found

    def below(self, path: str) -> str:
        """A path of the file's, from where the audit was started."""
        folder = os.path.dirname(self.path)
        return os.path.normpath(os.path.join(folder, path))

    def name_rule(self, key: str, rule: str, *at: str | int) -> None:
        path = at
        while path not in self.lines:
            path = path[:-1]
        self.places.setdefault((key, rule), self.lines[path])

    def choice(self, item: Any, name: str, index: int) -> Choice:
        plain = Key("text", "", "")
        if isinstance(item, str):
            rule = self.text(item, plain, name, index).rstrip("/")
            self.name_rule(name, rule, name, index)
            return Choice(rule)
        if not isinstance(item, dict) or "rule" not in item:
            raise self.refuse("what is ignored is a rule, or has a “rule”", name, index)
        for key in item:
            if key not in Choice._fields:
                raise self.refuse(f"what is ignored has no “{key}”; {_near(key, Choice._fields)}", name, index, key)
        rule = self.text(item["rule"], plain, name, index, "rule").rstrip("/")
        self.name_rule(name, rule, name, index, "rule")
        until = item.get("until", "")
        if "until" in item and not (isinstance(until, str) and _DAY.fullmatch(until)):
            raise self.refuse("“until” is a day of the form YYYY-MM-DD", name, index, "until")
        reason = self.text(item["reason"], plain, name, index, "reason") if "reason" in item else ""
        paths = self.texts(item["paths"], plain, name, index, "paths") if "paths" in item else ()
        return Choice(rule, reason, until, paths)

    def overrides(self, value: Any, name: str) -> dict[str, Override]:
        if not isinstance(value, dict):
            raise self.refuse(f"“{name}” maps a rule to its severity and its figures", name)
        found = {}
        for rule, item in value.items():
            if not isinstance(item, dict):
                raise self.refuse("a rule is given a “severity” or “let”", name, rule)
            for key in item:
                if key not in Override._fields:
                    raise self.refuse(f"a rule is given no “{key}”; {_near(key, Override._fields)}", name, rule, key)
            severity = item.get("severity", "")
            if "severity" in item and severity not in SEVERITIES:
                raise self.refuse(f"“{severity}” is none of {', '.join(SEVERITIES)}", name, rule, "severity")
            let = item.get("let", {})
            if not isinstance(let, dict):
                raise self.refuse("“let” maps a figure's name to its value", name, rule, "let")
            for figure, figured in let.items():
                if not isinstance(figured, bool | int | float | str):
                    raise self.refuse(f"“{figure}” is a number, a text, true or false", name, rule, "let", figure)
                self.places[f"{name} {rule}", figure] = self.lines.get((name, rule, "let", figure), 1)
            self.name_rule(name, rule, name, rule)
            found[rule] = Override(severity, let)
        return found


def _near(name: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    import difflib

    close = difflib.get_close_matches(str(name)[:100], list(known), 1)
    return f"did you mean “{close[0]}”?" if close else f"there are {', '.join(known)}"
