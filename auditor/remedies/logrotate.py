"""The logrotate file of an app: logs that grow, and that nothing else rotates."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.remedies.template import render, word


def logrotate_file(
    folder: str, logs: Sequence[str], others: Sequence[str], user: str, group: str | None, path: str
) -> str:
    """The text of etc/logrotate.d/… for these absolute paths; raises CannotMend for names it cannot hold.

    `logs` lie below the app, whose account owns their folder, so that logrotate has to become it (`su`); `others` lie in
    folders of root's.
    """
    return render(
        "logrotate/app.j2",
        app=word(folder, "the app's folder", path),
        blocks=[
            ([word(log, "a log", path) for log in found], su)
            for found, su in ((logs, f"{user} {word(group or user, 'its group', path)}"), (others, ""))
            if found
        ],
    )
