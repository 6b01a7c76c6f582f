"""Everything that is lived with, in its order: comments, the configuration, the baseline, the change, the severity."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple

from auditor.facts.site import Site
from auditor.findings import Finding, Severity, Verdict
from auditor.judge.rulebook import Rulebook
from auditor.settings.shape import Choice
from auditor.suppress.own import OWN


class Lived(NamedTuple):
    """What to live with."""

    inline: bool = True
    """Whether comments in the audited files count."""
    choices: tuple[Choice, ...] = ()
    """What the configuration and the command line ignore."""
    folder: str = ""
    """The audited root from the configuration's folder."""
    baseline: str = ""
    """A baseline's file, "" for none."""
    severity: Severity = Severity.NOTE
    """The least severity that is told."""


class Since(NamedTuple):
    """A change that alone is of interest."""

    base: str
    """What it is compared with, as it was asked for."""
    files: Collection[str]
    """The files that it touches."""
    before: Verdict
    """How the site was judged before it."""


def live_with(
    verdict: Verdict, site: Site, rules: Rulebook, lived: Lived, *, today: str, since: Since | None = None
) -> Verdict:
    """The verdict with all that moved to `ignored`; raises BaselineRefused."""
    asked = {*rules.rules, *OWN}.difference(verdict.needs_live)
    if lived.inline and site.ignores:
        from auditor.suppress.inline import heed

        verdict = heed(verdict, site.ignores, known=rules.known, asked=asked, today=today)
    if lived.choices:
        from auditor.suppress.chosen import leave_out

        verdict = leave_out(verdict, lived.choices, folder=lived.folder, today=today)
    if lived.baseline:
        from auditor.suppress.baseline import forgive, read_baseline

        verdict = forgive(verdict, read_baseline(lived.baseline), reason="it was found before", asked=asked)
    if since is not None:
        from auditor.suppress.changed import touched

        verdict = touched(verdict, since.files, since.before, since.base)
    if lived.severity is not Severity.NOTE:
        from auditor.suppress.chosen import at_least

        verdict = at_least(verdict, lived.severity)
    return verdict


def spared(site: Site, lived: Lived, *, today: str) -> Callable[[Finding], bool]:
    """What tells of a finding whether comments or the configuration ask for it to be left alone."""
    from auditor.suppress.chosen import leaving_out
    from auditor.suppress.inline import spoken_for

    chosen = leaving_out(lived.choices, folder=lived.folder, today=today)
    ignores = site.ignores if lived.inline else ()
    return lambda finding: chosen(finding) is not None or spoken_for(finding, ignores, today)
