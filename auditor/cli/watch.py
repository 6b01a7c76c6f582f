"""`queue-auditor watch`: look again and again, read the logs on, and tell whoever has to know."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.chosen import Chosen, choose, given
from auditor.cli.commands import EXIT_CANNOT, EXIT_CLEAN
from auditor.cli.deliver import tell
from auditor.cli.options import Asked, by_banks, from_settings, lived_with, what_to_look_at, which_rules
from auditor.errors import AuditorError, UsageError
from auditor.settings.shape import WATCH

if TYPE_CHECKING:
    from auditor.watch.loop import Wishes
    from auditor.watch.round import Sight


@click.command("watch")
@what_to_look_at
@which_rules
@lived_with
@by_banks
@from_settings
@click.option("--live/--no-live", default=True, help="Ask the running system too; otherwise files and logs alone.")
@click.option("--every", type=click.FloatRange(1), metavar="SECONDS", help="From one look to the next; 60.")
@click.option("--state", type=click.Path(dir_okay=False), metavar="FILE", help="Where the watch keeps what it knows.")
@click.option(
    "--notify",
    multiple=True,
    metavar="URL",
    help="Who is told: https://…, slack+https://…, smtp://…, or one that apprise knows; env:NAME or file:PATH keep it secret.",
)
@click.option(
    "--notify-severity", type=click.Choice(["error", "warning", "note"]), help="Tell from this severity on; warning."
)
@click.option("--per-hour", type=click.IntRange(1), metavar="N", help="Messages in an hour at most; 20.")
@click.option(
    "--confirm", type=click.IntRange(1), metavar="N", help="Looks in a row with a finding before it is told; 2."
)
@click.option("--clear", type=click.IntRange(1), metavar="N", help="Looks in a row without it before it is over; 2.")
@click.option("--heartbeat", metavar="URL", help="Ask for this after each look: for a service that misses it.")
@click.option(
    "--textfile", type=click.Path(dir_okay=False), metavar="FILE", help="Write metrics for Prometheus's node exporter."
)
@click.option("--listen", metavar="HOST:PORT", help="Answer /healthz and /metrics there: 127.0.0.1:9817.")
@click.option(
    "--signatures", type=click.Path(dir_okay=False), metavar="FILE", help="A table of log signatures of your own."
)
@click.option("--once", is_flag=True, help="One look, told as a Nagios plugin does, with its exit status.")
@click.option("--test-notify", is_flag=True, help="Send a test message to every target, and end.")
@click.option(
    "--render", "form", type=click.Choice(["systemd", "supervisor"]), help="Print what runs this watch, and end."
)
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    asked: Asked,
    once: bool,
    test_notify: bool,
    form: str | None,
    **_chosen: Any,
) -> int:
    """Watch PATH, a host's root: look each minute, read its logs on, tell once what is new and once what is over.

    It ends by SIGTERM, and goes on from there when it is started again. Exit status: 0 ended by a signal, 2 could not
    begin; with --once 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.
    """
    if sum((once, test_notify, form is not None)) > 1:
        raise UsageError("--once, --test-notify and --render are three things to do; ask for one")
    chosen = choose(ctx, asked.path)
    own = _own(ctx, chosen)
    if form is not None:
        tell(_unit(form, ctx, asked.path, own))
        return EXIT_CLEAN
    wishes = _wishes(own)
    if test_notify:
        return _test(wishes)
    if once:
        return _once(asked, chosen, own, wishes)
    from auditor.watch.loop import Watch, say
    from auditor.watch.state import StateFile, default_path

    sight = _sight(asked, chosen, own)
    file = StateFile(own["state"] or default_path(asked.path))
    try:
        Watch(sight, file, wishes, say).run()
    finally:
        file.close()
    return EXIT_CLEAN


def _own(ctx: click.Context, chosen: Chosen) -> dict[str, Any]:
    """Every key of the section "watch" with what takes effect: a flag, the environment, the file, the default."""
    written = chosen.of("watch")
    found = {}
    for key, spec in WATCH.items():
        told = given(ctx, key)
        found[key] = told.value if told is not None else written.get(key, spec.default)
    return found


def _wishes(own: dict[str, Any]) -> Wishes:
    from auditor.findings import Severity
    from auditor.notify.target import resolved, targets
    from auditor.watch.loop import Wishes

    heartbeat = resolved(own["heartbeat"], "the heartbeat's URL") if own["heartbeat"] else ""
    if heartbeat and not heartbeat.startswith(("http://", "https://")):
        raise UsageError("the heartbeat's URL is one of http:// or https://")
    return Wishes(
        every=own["every"],
        targets=targets(tuple(own["notify"])),
        severity=Severity(own["notify_severity"]),
        per_hour=int(own["per_hour"]),
        heartbeat=heartbeat,
        textfile=own["textfile"],
        listen=own["listen"],
    )


def _sight(asked: Asked, chosen: Chosen, own: dict[str, Any]) -> Sight:
    from auditor.sources.logs.signatures import load_signatures
    from auditor.watch.problems import Policy
    from auditor.watch.round import Sight

    return Sight(
        asked.path,
        chosen.rulebook(),
        chosen.lived(),
        load_signatures(own["signatures"]),
        apps=chosen.of("apps"),
        kind=asked.kind,
        live=asked.live,
        banks=chosen.of("banks"),
        policy=Policy(int(own["confirm"]), int(own["clear"])),
    )


def _once(asked: Asked, chosen: Chosen, own: dict[str, Any], wishes: Wishes) -> int:
    """What could not be done is UNKNOWN, on standard output: there a Nagios reads it."""
    from auditor.facts.redaction import redact
    from auditor.watch.loop import one_round
    from auditor.watch.nagios import UNKNOWN, nagios
    from auditor.watch.state import StateFile, default_path

    try:
        file = StateFile(own["state"] or default_path(asked.path))
        try:
            text, status = nagios(one_round(_sight(asked, chosen, own), file, wishes))
        finally:
            file.close()
    except AuditorError as problem:
        text, status = f"QUEUE UNKNOWN - {' '.join(redact(str(problem)).replace('|', '¦').split())}\n", UNKNOWN
    tell(text)
    return status


def _test(wishes: Wishes) -> int:
    import socket
    import time
    import uuid

    from auditor.notify.failures import Unsent
    from auditor.notify.message import Change, Message

    if not wishes.targets:
        raise UsageError(
            "there is nobody to tell: name a target with --notify, or in the configuration's section “watch”"
        )
    now = time.time()
    host = socket.gethostname()
    change = Change(
        "test", "watch/test", host, "note", "This is a test: whoever reads it will be told by queue-auditor.", now
    )
    status = EXIT_CLEAN
    for target in wishes.targets:
        try:
            target.send(Message(str(uuid.uuid4()), now, host, (change,)))
            click.echo(f"{target.name}: taken")
        except Unsent as problem:
            click.echo(f"{target.name}: not taken: {problem}")
            status = EXIT_CANNOT
    return status


def _unit(form: str, ctx: click.Context, path: str, own: dict[str, Any]) -> str:
    """The flags that were given, as they were; paths made absolute, for a unit is started from /."""
    from auditor.watch.state import default_path
    from auditor.watch.units import unit

    words = ["watch", _absolute(path)]
    environment = {}
    for option in ctx.command.params:
        told = given(ctx, option.name or "")
        if told is None or not isinstance(option, click.Option) or option.name == "form":
            continue
        for value in told.value if option.multiple else (told.value,):
            _check_secret(option, value)
        if told.origin.startswith("environment"):
            environment[str(option.envvar)] = os.environ[str(option.envvar)]
            continue
        for value in told.value if option.multiple else (told.value,):
            words += _words(option, value)
    writes = list(dict.fromkeys(str(Path(each).absolute().parent) for each in (own["state"], own["textfile"]) if each))
    own_state = not own["state"] and default_path(path).startswith("/var/lib/queue-auditor/")
    return unit(form, words, environment, writes, own_state=own_state)


def _absolute(path: str) -> str:
    return str(Path(path).absolute())


def _words(option: click.Option, value: Any) -> list[str]:
    if option.is_flag:
        return [(option.opts if value else option.secondary_opts)[0]]
    text = f"{value:g}" if isinstance(value, float) else str(value)
    if isinstance(option.type, click.Path):
        text = _absolute(text)
    return [option.opts[0], text]


def _check_secret(option: click.Option, value: Any) -> None:
    if option.name in ("notify", "heartbeat") and not str(value).startswith("file:/"):
        raise UsageError(
            f"{option.opts[0]} holds a secret, which a unit would show to everybody; name it in a configuration file that "
            "is root's alone, or by file:/PATH"
        )
