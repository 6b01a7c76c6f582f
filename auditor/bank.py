"""The pre-check of bank feeds: look at each app's database and, where that is asked for, at the provider."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from auditor.audit import look
from auditor.errors import UsageError
from auditor.facts.bank import Banks
from auditor.facts.laravel import App
from auditor.facts.live import Live
from auditor.facts.site import Site
from auditor.feeds import Looked, standings
from auditor.sources.banks import load_banks
from auditor.sources.tree import Tree


def check(
    path: str,
    *,
    apps: Sequence[str] = (),
    banks: Sequence[str] = (),
    api: str | None = None,
    now: float | None = None,
) -> tuple[Looked, ...]:
    """Every InvoiceNinja of the host at `path`, or the one in that folder, and how its bank feeds stand.

    `api` is the address of the provider's API where it is asked too, `now` the present in seconds since 1970. Raises
    UsageError where there is no InvoiceNinja or no such address, Unreadable, BanksRefused.
    """
    from auditor.sources.live.observe import observe_feeds

    table = load_banks(banks)
    if api is not None:
        from auditor.sources.live.gocardless import check_url

        api = check_url(api)
    if not apps and (Path(path) / "artisan").is_file():
        path, apps = "/", (path,)  # an app's own folder: what it names lies on this machine
    site = look(path, apps=apps, kind="host")
    ninjas = [app for app in site.apps if app.ninja is not None and (not apps or _is_asked(site, app, apps))]
    if not ninjas:
        where = ", ".join(apps) if apps else path
        raise UsageError(f"there is no InvoiceNinja in {where}; name its root folder with --app")
    live = observe_feeds(site, now=time.time() if now is None else now, banks=table)
    return tuple(_looked(site, app, live, table, api) for app in ninjas)


def _is_asked(site: Site, app: App, asked: Sequence[str]) -> bool:
    here = Path(site.name, app.name).resolve()
    return any(here in (Path(one).resolve(), Path(site.name, one.lstrip("/")).resolve()) for one in asked)


def _looked(site: Site, app: App, live: Live, table: Banks, api: str | None) -> Looked:
    assert app.ninja is not None  # check() has asked for it
    probes = [probe for probe in live.probes if probe.app == app.name]
    feeds = tuple(feed for feed in live.feeds if feed.app == app.name)
    if api is not None and feeds:
        from auditor.sources.live.app_settings import AppSettings
        from auditor.sources.live.gocardless import ask_provider, keys_of

        asked = ask_provider(feeds, keys_of(AppSettings(Tree(site.name), app)), url=api)
        feeds = asked.feeds
        probes.append(asked.probe)
    return Looked(
        ninja=app.ninja,
        probes=tuple(probes),
        state=next((state for state in live.ninjas if state.app == app.name), None),
        standings=standings(feeds, app.ninja),
        calls_per_day=table.provider.calls_per_day.figure,
    )
