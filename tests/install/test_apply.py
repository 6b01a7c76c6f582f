"""Telling a real supervisord of what was written, by its own supervisorctl."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.remedies.apply import supervisorctl
from tests.stack.supervisord import Supervisord

PROGRAMS = "[program:shop]\ncommand=/bin/sleep 1000\nnumprocs=1\n\n[program:other]\ncommand=/bin/sleep 1000\n"


def test_the_groups_that_changed_are_updated_and_no_other(tmp_path: Path) -> None:
    """What was written takes effect; somebody else's change that waits in the same file is not deployed by us."""
    server = Supervisord.of(tmp_path, PROGRAMS)
    try:
        server.wait_for("shop", "RUNNING")
        server.wait_for("other", "RUNNING")
        shop, other = server.pid("shop"), server.pid("other")
        conf = tmp_path / "supervisord.conf"
        conf.write_text(
            conf.read_text().replace("sleep 1000", "sleep 2000") + "[program:new]\ncommand=/bin/sleep 1000\n"
        )

        told = supervisorctl(str(conf).lstrip("/"), ["shop", "new"], 30)

        assert [(one.done, one.command.rpartition(".conf ")[2]) for one in told] == [
            (True, "reread"),
            (True, "update shop new"),
        ]
        server.wait_for("shop", "RUNNING")
        server.wait_for("new", "RUNNING")
        assert server.pid("shop") != shop
        assert server.pid("other") == other
    finally:
        server.stop()


@pytest.mark.parametrize(("text", "says"), [("[program:x]\nnumprocs=a\n", "ERROR"), (None, "no such file")])
def test_what_supervisord_refuses_is_told(tmp_path: Path, text: str | None, says: str) -> None:
    """A configuration that it cannot take, or no answer at all, is no success, and nothing is updated then."""
    server = Supervisord.of(tmp_path, PROGRAMS)
    try:
        conf = tmp_path / "supervisord.conf"
        if text is None:
            server.stop()
        else:
            conf.write_text(conf.read_text() + text)

        told = supervisorctl(str(conf).lstrip("/"), ["shop"], 30)

        assert len(told) == 1
        assert not told[0].done
        assert says.lower() in told[0].output.lower()
    finally:
        server.stop()
