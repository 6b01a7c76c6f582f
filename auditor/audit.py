"""The flow, top to bottom: look, judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from auditor.facts.census import take_census
from auditor.facts.site import Site
from auditor.findings import Verdict
from auditor.judge.rulebook import Rulebook, load_folder
from auditor.judge.shelf import shipped
from auditor.judge.weigh import weigh


def look(
    path: str,
    *,
    apps: Sequence[str] = (),
    kind: str | None = None,
    overrides: Mapping[str, bytes] | None = None,
) -> Site:
    """Read a host, a repository, one file or a facts file; raises Unreadable, UsageError.

    `overrides` gives files (path below the root to content) other contents than they have: how a corrected file is
    read again before it is written.
    """
    if path.endswith(".json") and Path(path).is_file():
        from auditor.facts.wire import read_facts

        return read_facts(path)
    from auditor.sources.survey import read_site

    return read_site(path, apps=apps, kind=kind, overrides=overrides)


def rulebook(*, select: Sequence[str] = (), ignore: Sequence[str] = (), folders: Sequence[str] = ()) -> Rulebook:
    """The shipped rules and those of further folders; raises RuleRefused, UsageError."""
    rules = shipped()
    for folder in folders:
        rules = Rulebook([*rules, *load_folder(Path(folder))])
    return rules.select(select, ignore) if select or ignore else rules


def judge(site: Site, rules: Rulebook) -> Verdict:
    """Every rule for every subject of the site; what could not be read is told beside what was found."""
    return msgspec.structs.replace(weigh(rules, take_census(site)), unread=site.unread)
