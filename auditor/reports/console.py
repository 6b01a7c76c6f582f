"""The report for a person at a terminal: the source lines of all sides of a fault, the arithmetic, and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from auditor.facts.levers import LEVERS, shown
from auditor.findings import Bound, Deploy, Finding, Location, Severity, Skipped, Verdict
from auditor.reports.words import mended, seen

Paint = Callable[[str, str], str]
"""Text and the name of a style to the text with that style."""

_CODES = {"error": "31;1", "warning": "33;1", "note": "36", "rule": "1", "dim": "2", "fix": "32", "clean": "32;1"}
_MAX_EXCERPT = 150
_MAX_UNREAD = 10


def plain(text: str, _style: str) -> str:
    """No colour."""
    return text


def coloured(text: str, style: str) -> str:
    """ANSI colour."""
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m"


def console(verdict: Verdict, *, colour: bool = False, show_skipped: bool = False) -> str:
    """Findings, the gravest first; then what was not judged, and not read; then one line that sums up."""
    paint: Paint = coloured if colour else plain
    blocks = ["\n".join(finding_lines(finding, paint)) for finding in verdict.findings]
    blocks += ["\n".join(_skipped(verdict, paint, everything=show_skipped))] if verdict.skipped else []
    blocks += [paint(f"not judged without --live: {', '.join(verdict.needs_live)}", "dim")] * (
        show_skipped and bool(verdict.needs_live)
    )
    blocks += ["\n".join(_unread(verdict, paint, everything=show_skipped))] if verdict.unread else []
    blocks += ["\n".join(_deploy(verdict.deploy, paint))] if verdict.deploy is not None else []
    blocks.append(_sum(verdict, paint))
    return "\n\n".join(blocks) + "\n"


def finding_lines(finding: Finding, paint: Paint) -> list[str]:
    """A finding as a person reads it: its head, the lines of all sides, the arithmetic, and what to do."""
    severity = finding.severity.value
    lines = [f"{paint(f'{severity:<7}', severity)}  {paint(finding.rule, 'rule')}  {finding.subject}"]
    lines += _locations(finding.locations, paint)
    lines.append(f"  {finding.arithmetic}: {finding.message}" if finding.arithmetic else f"  {finding.message}")
    if finding.bounds:
        lines.append(f"  {paint('fix:', 'fix')} {_fix(finding.bounds)}")
    elif finding.adds:
        lines.append(f"  {paint('fix:', 'fix')} {mended(finding)}")
    if finding.advice:
        lines.append(f"  {paint('advice:', 'fix')} {finding.advice}")
    return lines


def _locations(locations: tuple[Location, ...], paint: Paint) -> list[str]:
    places = [loc.file if loc.line is None else f"{loc.file}:{loc.line}" for loc in locations]
    width = min(max(map(len, places), default=0), 60)
    lines = []
    for place, location in zip(places, locations, strict=True):
        text = location.text.strip()
        if len(text) > _MAX_EXCERPT:
            text = text[: _MAX_EXCERPT - 1] + "…"
        note = paint(f"({location.note})", "dim") if location.note else ""
        told = "   ".join(part for part in (text, note) if part)
        lines.append(f"  {paint(f'{place:<{width}}', 'dim')}   {told}".rstrip())
    return lines


def _fix(bounds: tuple[Bound, ...]) -> str:
    told = "  ".join(shown(bound.fact, bound.value) for bound in bounds if bound.fact in LEVERS)
    unsafe = next((bound.unsafe for bound in bounds if bound.unsafe), "")
    return f"{told}  (unsafe: {unsafe})" if unsafe else told


def _skipped(verdict: Verdict, paint: Paint, *, everything: bool) -> list[str]:
    reasons: Counter[str] = Counter(skipped.reason for skipped in verdict.skipped)
    lines = [paint(f"not judged ({len(verdict.skipped)}):", "dim")]
    if everything:
        return lines + [f"  {_one(skipped)}" for skipped in verdict.skipped]
    for reason, count in reasons.most_common(6):
        lines.append(f"  {paint(f'{count:>4}', 'dim')}  {reason}")
    if len(reasons) > 6:
        rest = sum(count for _, count in reasons.most_common()[6:])
        lines.append(f"  {paint(f'{rest:>4}', 'dim')}  other reasons; --show-skipped tells each")
    return lines


def _unread(verdict: Verdict, paint: Paint, *, everything: bool) -> list[str]:
    lines = [paint(f"not read ({len(verdict.unread)}):", "dim")]
    shown = verdict.unread if everything else verdict.unread[:_MAX_UNREAD]
    lines += [f"  {one.path}: {one.reason}" for one in shown]
    if len(shown) < len(verdict.unread):
        lines.append(f"  and {len(verdict.unread) - len(shown)} others; --show-skipped tells each")
    return lines


def _deploy(deploy: Deploy, paint: Paint) -> list[str]:
    if not deploy.restarts:
        return [paint(f"deployed, the change since {deploy.base} restarts nothing under supervisor", "dim")]
    head = paint(f"deployed, the change since {deploy.base} does this at `supervisorctl update`:", "dim")
    return [head, *(f"  {restart.told}" for restart in deploy.restarts)]


def _one(skipped: Skipped) -> str:
    fact = f" ({skipped.fact})" if skipped.fact else ""
    return f"{skipped.rule}  {skipped.subject}{fact}: {skipped.reason}"


def _sum(verdict: Verdict, paint: Paint) -> str:
    counts = [(severity, verdict.count(severity)) for severity in (Severity.ERROR, Severity.WARNING, Severity.NOTE)]
    told = ", ".join(
        paint(f"{count} {severity.value}{'' if count == 1 else 's'}", severity.value)
        for severity, count in counts
        if count
    )
    ignored = f", {len(verdict.ignored)} ignored" if verdict.ignored else ""
    if verdict.stale:
        ignored += f", {verdict.stale} of the baseline no longer found"
    where = seen(verdict)
    fixable = sum(1 for finding in verdict.findings if finding.fixable)
    hint = f"; {fixable} of them `queue-auditor fix` can mend" if fixable else ""
    if not told:
        return f"{paint('no findings', 'clean')}{ignored} in {where}"
    return f"{told}{ignored} in {where}{hint}"
