"""What takes effect of flags, environment, configuration file and defaults, and where each value comes from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import click
from click.core import ParameterSource

from auditor import audit
from auditor.cli.options import Asked
from auditor.errors import UsageError
from auditor.facts.site import Site
from auditor.findings import Severity
from auditor.judge.rulebook import Rulebook
from auditor.settings.file import NOTHING, Settings, find, read
from auditor.settings.shape import KEYS, Choice, SettingsRefused
from auditor.suppress.own import GROUP
from auditor.suppress.whole import Lived

_PARAMETERS: Mapping[str, str] = {"rules": "rule_folders", "format": "formats"}
"""The parameter of a key, where it is called otherwise."""


class Value(NamedTuple):
    """One value that takes effect."""

    value: Any
    """The value, as the configuration file's key holds it."""
    origin: str
    """"default", "queue-auditor.yaml:3", "environment QUEUE_AUDITOR_FAIL_ON" or "flag --fail-on"."""


class Chosen(NamedTuple):
    """All of them."""

    settings: Settings
    """The configuration file, NOTHING where there is none."""
    values: Mapping[str, Value]
    """Every key of the configuration file to what takes effect."""
    root: str
    """The audited folder."""

    def of(self, key: str) -> Any:
        """The value of a key."""
        return self.values[key].value

    @property
    def not_judged(self) -> tuple[str, ...]:
        """The rules and groups that --ignore leaves out, so that they are not judged at all."""
        return tuple(c.rule for c in self.of("ignore") if c.reason == _FLAG and not _own(c.rule))

    def rulebook(self) -> Rulebook:
        """The rules to judge by; raises RuleRefused, SettingsRefused, UsageError."""
        return audit.rulebook(
            select=self.of("select"), ignore=self.not_judged, folders=self.of("rules"), settings=self.settings
        )

    def look(self, asked: Asked, overrides: Mapping[str, bytes] | None = None) -> Site:
        """What is there, read as it was asked for; raises as audit.look does."""
        return audit.look(
            asked.path,
            apps=self.of("apps"),
            kind=asked.kind,
            overrides=overrides,
            live=asked.live,
            now=asked.now,
            previous=asked.previous,
            banks=self.of("banks"),
        )

    def lived(self) -> Lived:
        """What to live with."""
        folder = ""
        if self.settings.path and not os.path.relpath(self.root, self.settings.folder).startswith(".."):
            folder = os.path.relpath(self.root, self.settings.folder).removeprefix(".").lstrip("/")
        choices = tuple(c for c in self.of("ignore") if c.reason != _FLAG or _own(c.rule))
        return Lived(
            inline=self.of("inline_ignores"),
            choices=choices,
            folder=folder,
            baseline=self.of("baseline"),
            severity=Severity(self.of("min_severity")),
        )


_FLAG = "--ignore"


def _own(rule: str) -> bool:
    return rule.partition("/")[0] == GROUP


def choose(ctx: click.Context, path: str) -> Chosen:
    """What takes effect for one command on one path; raises SettingsRefused, UsageError."""
    settings = _settings(ctx, path)
    values = {}
    for key, spec in KEYS.items():
        name = _PARAMETERS.get(key, key)
        told = given(ctx, name)
        written = (
            Value(settings.values[key], f"{settings.path}:{settings.lines[key]}") if key in settings.values else None
        )
        if told is not None and key == "ignore":
            flags = tuple(Choice(rule.rstrip("/"), _FLAG) for rule in told.value)
            more = f", {written.origin}" if written else ""
            values[key] = Value((*flags, *(written.value if written else ())), told.origin + more)
        else:
            values[key] = told or written or Value(spec.default, "default")
    for form in settings.values.get("format", ()):
        from auditor.cli.deliver import FORMATS

        if form not in FORMATS:
            reason = f"there is no format “{form}”; there are {', '.join(FORMATS)}"
            raise SettingsRefused(settings.path, reason, settings.lines["format"])
    return Chosen(settings, values, folder_of(path))


def _settings(ctx: click.Context, path: str) -> Settings:
    asked = ctx.params.get("config")
    if ctx.params.get("no_config"):
        if asked:
            raise UsageError("--config and --no-config contradict each other")
        return NOTHING
    found = asked or find(path)
    return read(found) if found else NOTHING


def given(ctx: click.Context, name: str) -> Value | None:
    """What a flag or the environment says, None where neither says anything."""
    source = ctx.get_parameter_source(name)
    if source not in (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT):
        return None
    parameter = next(p for p in ctx.command.params if p.name == name)
    value = ctx.params[name]
    if source is ParameterSource.ENVIRONMENT:
        return Value(value, f"environment {parameter.envvar}")
    off = value is False and parameter.secondary_opts
    return Value(value, f"flag {(parameter.secondary_opts if off else parameter.opts)[0]}")


def folder_of(path: str) -> str:
    """The folder that is audited: the path's own where it is one, else the one its file lies in."""
    return path if os.path.isdir(path) else os.path.dirname(path) or "."


def root_of(path: str) -> str:
    """The audited folder as a CI system links to it: from its job's checkout, or else from where the audit is started."""
    full, start = os.path.realpath(folder_of(path)), os.path.realpath(".")
    for name in ("GITHUB_WORKSPACE", "CI_PROJECT_DIR"):
        checkout = os.path.realpath(os.environ[name]) if os.environ.get(name) else ""
        if checkout and (start == checkout or start.startswith(f"{checkout}/")):
            start = checkout
            break
    relative = os.path.relpath(full, start)
    if relative == ".":
        return ""
    return full if relative.startswith("..") else relative
