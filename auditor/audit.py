"""The flow, top to bottom: look, judge, live with what someone chose to live with."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from auditor.errors import UsageError
from auditor.facts.census import take_census
from auditor.facts.live import Live
from auditor.facts.site import Site
from auditor.findings import Deploy, Finding, Verdict
from auditor.judge.rulebook import Rulebook, load_folder
from auditor.judge.shelf import shipped
from auditor.judge.weigh import weigh
from auditor.settings.file import NOTHING, Settings
from auditor.suppress import whole
from auditor.suppress.whole import Lived, Since


def look(
    path: str,
    *,
    apps: Sequence[str] = (),
    kind: str | None = None,
    overrides: Mapping[str, bytes] | None = None,
    live: bool = False,
    now: float | None = None,
    previous: str | None = None,
    banks: Sequence[str] = (),
    logs: bool = True,
) -> Site:
    """Read a host, a repository, one file or a facts file; raises Unreadable, UsageError, BanksRefused.

    `overrides` gives files (path below the root to content) other contents than they have: how a corrected file is
    read again before it is written. With `live` what the host's configuration names is asked too, as of `now` in
    seconds since 1970 (the clock's time where it is not given); `previous` is a facts file of an earlier live look;
    `banks` are tables of banks of the user's own. Without `logs` what the apps' own logs tell is not looked for.
    """
    if not live and (now is not None or previous is not None):
        raise UsageError(f"{'--previous' if now is None else '--now'} goes with --live, which is not there")
    if path.endswith(".json") and os.path.isfile(path):
        from auditor.facts.wire import read_facts

        if live:
            raise UsageError(f"{path} is a facts file: what it holds was seen when it was taken, and --live looks now")
        return read_facts(path)
    from auditor.sources.survey import read_site

    site = read_site(path, apps=apps, kind=kind, overrides=overrides)
    if not live:
        return site
    if site.kind != "host":
        raise UsageError(f"--live asks a running host, and {path} is a {site.kind}")
    from auditor.sources.banks import load_banks
    from auditor.sources.live.observe import observe

    looked = observe(site, now=time.time() if now is None else now, banks=load_banks(banks), logs=logs)
    return msgspec.structs.replace(site, live=looked, previous=None if previous is None else seen_in(previous))


def seen_in(path: str) -> Live:
    """What a facts file that was taken live holds of the running system; raises FactsRefused, UsageError."""
    from auditor.facts.wire import read_facts

    found = read_facts(path).live
    if found is None:
        raise UsageError(f"{path} was not taken with --live")
    return found


def rulebook(
    *,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    folders: Sequence[str] = (),
    settings: Settings = NOTHING,
) -> Rulebook:
    """The shipped rules and those of further folders, as a site's settings have them.

    Raises RuleRefused, SettingsRefused, UsageError.
    """
    rules = shipped()
    for folder in folders:
        from pathlib import Path

        rules = Rulebook([*rules, *load_folder(Path(folder))])
    if settings.values:
        from auditor.suppress.adjust import adjusted

        rules = adjusted(rules, settings)
    return rules.select(select, ignore) if select or ignore else rules


def judge(site: Site, rules: Rulebook) -> Verdict:
    """Every rule for every subject of the site; what could not be read is told beside what was found."""
    return msgspec.structs.replace(weigh(rules, take_census(site)), unread=site.unread)


def live_with(verdict: Verdict, site: Site, rules: Rulebook, lived: Lived, since: Since | None = None) -> Verdict:
    """The verdict with what someone chose to live with moved to `ignored`; raises BaselineRefused."""
    return whole.live_with(verdict, site, rules, lived, today=time.strftime("%Y-%m-%d"), since=since)


def spared(site: Site, lived: Lived) -> Callable[[Finding], bool]:
    """What tells of a finding whether comments or the configuration ask for it to be left alone."""
    return whole.spared(site, lived, today=time.strftime("%Y-%m-%d"))


def compare(path: str, site: Site, rules: Rulebook, revision: str) -> tuple[Since, Deploy]:
    """What the change since a revision touches, and what it does when it is deployed; raises UsageError, Unreadable.

    The site before the change is written out from git to a temporary folder, and read and judged like any other.
    """
    import tempfile
    from pathlib import Path

    from auditor.deploy import deploy
    from auditor.sources.revision import changed_since, write_out

    asked = Path(path)
    folder = path if asked.is_dir() else str(asked.parent)
    change = changed_since(folder, revision)
    with tempfile.TemporaryDirectory(prefix="queue-auditor-") as name:
        before = Path(name)
        write_out(folder, change.base, before)
        there = before if asked.is_dir() else before / asked.name
        apps = [app.name for app in site.apps if (before / app.name).is_dir()]
        was = look(str(there), apps=apps, kind=site.kind) if there.exists() else Site(name=path, kind=site.kind)
    return Since(revision, change.files, judge(was, rules)), deploy(was, site, revision)
