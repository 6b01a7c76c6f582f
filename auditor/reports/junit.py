"""JUnit's XML: each finding a failed test case, each judgement that was not made a skipped one."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.findings import Finding, Verdict
from auditor.reports.words import path, told, whole, xml


def junit(verdict: Verdict) -> str:
    """One suite; where nothing was found and nothing skipped, one passed case, for a report without any counts as a failure."""
    cases = list(_cases(verdict))
    failures = len(verdict.findings)
    skipped = len(verdict.skipped) + len(verdict.ignored)
    head = f'tests="{len(cases)}" failures="{failures}" errors="0"'
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<testsuites name="queue-auditor" {head}>',
            f'  <testsuite name="queue-auditor" {head} skipped="{skipped}" time="0">',
            *cases,
            "  </testsuite>",
            "</testsuites>",
            "",
        ]
    )


def _cases(verdict: Verdict) -> Iterator[str]:
    for finding in verdict.findings:
        kind, message = xml(finding.severity.value), xml(told(finding))
        failure = f'<failure type="{kind}" message="{message}">{xml(_text(verdict, finding))}</failure>'
        yield _case(verdict, finding.rule, finding.subject, failure, finding)
    for one in verdict.ignored:
        why = xml(f"ignored ({one.how}): {one.reason}" if one.reason else f"ignored ({one.how})")
        yield _case(verdict, one.finding.rule, one.finding.subject, f'<skipped message="{why}"/>', one.finding)
    for left in verdict.skipped:
        yield _case(verdict, left.rule, left.subject, f'<skipped message="{xml(left.reason)}"/>')
    if not (verdict.findings or verdict.ignored or verdict.skipped):
        yield '    <testcase classname="queue-auditor" name="no findings" time="0"/>'


def _case(verdict: Verdict, rule: str, subject: str, inside: str, finding: Finding | None = None) -> str:
    place = ""
    if finding is not None and finding.locations:
        place = f' file="{xml(path(verdict, finding.file))}"'
        if (line := finding.locations[0].line) is not None:
            place += f' line="{line}"'
    return f'    <testcase classname="{xml(rule)}" name="{xml(subject)}"{place} time="0">{inside}</testcase>'


def _text(verdict: Verdict, finding: Finding) -> str:
    lines = [whole(finding)]
    for place in finding.locations:
        at = path(verdict, place.file)
        lines.append(f"{at if place.line is None else f'{at}:{place.line}'}: {place.text.strip() or place.note}")
    return "\n".join(lines)
