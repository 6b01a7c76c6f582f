"""The logrotate file of an app: logs that grow by what was set up here, and that nothing else rotates."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.remedies.template import render, word


def logrotate_file(folder: str, logs: Sequence[str], user: str, group: str, path: str) -> str:
    """The text of etc/logrotate.d/<path> for these absolute paths; raises CannotMend for names it cannot hold.

    The app's own account owns the folder they lie in, so that logrotate has to become it (`su`).
    """
    return render(
        "logrotate/app.j2",
        app=word(folder, "the app's folder", path),
        logs=[word(log, "a log", path) for log in logs],
        user=word(user, "the account", path),
        group=word(group, "its group", path),
    )
