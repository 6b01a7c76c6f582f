"""How a harm is proved: found by the audit, seen to happen, put right, seen to be gone, found no more."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from auditor import audit, mend
from auditor.findings import Finding, Verdict
from auditor.judge.rulebook import Rulebook
from auditor.remedies.deliver import Write, deliver
from tests.proofs.scenes.live import Live
from tests.proofs.scenes.scene import Scene, Seen
from tests.stack.backends import Backend
from tests.stack.host import Host


class Proved(NamedTuple):
    """One line of the table of proofs."""

    rule: str
    """The rule that objects."""
    severity: str
    """How it takes this host."""
    harm: str
    """What was seen to go wrong."""
    remedy: str
    """What put it right: the change that `fix` wrote, or "" where its advice was followed by hand."""
    then: str
    """What was seen thereafter."""


@functools.cache
def rules() -> Rulebook:
    """The shipped rules."""
    return audit.rulebook()


def judged(folder: Path) -> Verdict:
    """The audit's word on a host's folder."""
    return audit.judge(audit.look(str(folder)), rules())


def finding(verdict: Verdict, rule: str, subject: str) -> Finding:
    """The finding of this rule about this subject; fails where there is none."""
    found = next((one for one in verdict.findings if (one.rule, one.subject) == (rule, subject)), None)

    assert found is not None, f"{rule} is silent about {subject}: {told(verdict)}"
    return found


def fix(folder: Path, rule: str) -> str:
    """Write the corrected files as `fix --unsafe --write` does; what of it this rule asked for, in its words."""
    plan = mend.plan(str(folder), rules(), unsafe=True)
    changes = [change for file in plan.files for change in file.changes if rule in change.rules]

    assert changes, f"fix leaves {rule}: {plan.by_hand}"
    deliver([Write(one.path, Path(mend.host_path(plan, one.path)), one.before, one.after) for one in plan.files])
    return ", ".join(dict.fromkeys(change.told for change in changes))


def must_be_clean(verdict: Verdict, rule: str) -> None:
    """Fail where the audit still finds the rule, or any error."""
    left = [one for one in verdict.findings if one.rule == rule or one.severity == "error"]

    assert not left, told(verdict)


def told(verdict: Verdict) -> str:
    """All findings of a verdict, for a failed assertion."""
    return "".join(f"\n  {one.severity.value} {one.rule} {one.subject}: {one.message}" for one in verdict.findings)


def audited_and_observed(scene: Scene, host: Host) -> tuple[Verdict, Seen]:
    """The audit's word on a host and what came to pass on it, in that order; a Live scene's is asked while it runs."""
    if not isinstance(scene, Live):
        return judged(host.folder / scene.audited), scene.observe(host)
    seen = scene.observe(host)
    return audit.judge(scene.site, rules()), seen


def prove(kind: Callable[[Backend], Scene], folder: Path, backend: Backend) -> Proved:
    """Audit the scene's bad host and run it; then put it right, and audit and run that.

    It is the very same folder, mended by `fix`; where the rule has only advice, one laid out as a person would follow it.
    """
    scene = kind(backend)
    host = scene.lay_out(folder / "bad", bad=True)
    verdict, seen = audited_and_observed(scene, host)
    subject = scene.subject.replace("{connection}", backend.connection).replace("{folder}", str(host.folder))
    found = finding(verdict, scene.rule, subject)
    scene.harmed(seen)
    scene.put_right = True
    remedy = ""
    if found.fixable:
        scene.renew(host)
        remedy = fix(host.folder, scene.rule)
    else:
        host = scene.lay_out(folder / "good", bad=False)
    verdict, seen = audited_and_observed(scene, host)
    must_be_clean(verdict, scene.rule)
    scene.unharmed(seen)
    return Proved(scene.rule, found.severity.value, scene.harm(), remedy, scene.then)
