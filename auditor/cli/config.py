"""`queue-auditor config`: show the settings that take effect, and where each comes from."""

from __future__ import annotations

import json
from typing import Any

import click
import msgspec

from auditor.cli.chosen import choose
from auditor.cli.deliver import tell
from auditor.cli.options import fails_on, from_settings, lived_with, which_rules
from auditor.settings.shape import HIDDEN, KEYS


@click.group("config")
def command() -> None:
    """The settings of queue-auditor.yaml, of the environment and of flags."""


@command.command("show")
@click.argument("path", default="/", type=click.Path(readable=False))
@which_rules
@lived_with
@from_settings
@fails_on("As audit takes it.", shown=False)
@click.option("--format", "form", type=click.Choice(["console", "json"]), default="console", show_default=True)
@click.pass_context
def show(ctx: click.Context, /, *, path: str, form: str, **_chosen: Any) -> None:
    """Show what takes effect for an audit of PATH, checked as an audit would check it."""
    chosen = choose(ctx, path)
    chosen.rulebook()  # refuses what an audit would refuse
    if form == "json":
        values = {
            key: {"value": _shown(key, value.value), "origin": value.origin} for key, value in chosen.values.items()
        }
        tell(json.dumps({"file": chosen.settings.path or None, **values}, indent=2, ensure_ascii=False) + "\n")
        return
    lines = [f"file: {chosen.settings.path or 'none'}"]
    width = max(map(len, chosen.values)) + 1
    shown = {key: json.dumps(_shown(key, value.value), ensure_ascii=False) for key, value in chosen.values.items()}
    for key, value in chosen.values.items():
        lines.append(f"{key + ':':<{width}} {shown[key]}   # {value.origin}")
    tell("\n".join(lines) + "\n")


def _shown(key: str, value: Any) -> Any:
    """A key's value as the file would write it, secrets hidden."""
    if KEYS[key].kind != "section":
        return _plain(value)
    return {name: HIDDEN if KEYS[key].inner[name].secret else _plain(inner) for name, inner in value.items()}


def _plain(value: Any) -> Any:
    """As the file would write it: what a choice or an override does not say is left out."""
    if hasattr(value, "_asdict"):
        return {key: _plain(inner) for key, inner in value._asdict().items() if inner}
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return msgspec.to_builtins(value)
