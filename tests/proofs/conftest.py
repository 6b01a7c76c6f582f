"""The real stack for the proofs, and the table of what they have shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.proofs.table import as_page, as_text, rows_of
from tests.stack.backends import SQLITE, Backend, on_mariadb, on_redis
from tests.stack.fixtures import database, mariadb_server, redis_cluster, redis_server

if TYPE_CHECKING:
    from tests.proofs.proof import Proved
    from tests.proofs.scenes.scene import Scene

pytest.register_assert_rewrite("tests.proofs.scenes", "tests.proofs.proof")  # a failed assertion shows its values

__all__ = ["database", "mariadb_server", "prove", "record_proof", "redis_cluster", "redis_server"]


@pytest.fixture
def record_proof(request: pytest.FixtureRequest) -> Callable[[Proved], None]:
    """What enters a line into the table of proofs."""

    def record(proved: Proved) -> None:
        test = request.node.nodeid.partition("[")[0].rpartition("tests/proofs/")[2]
        request.node.user_properties.append(("proved", [test, *proved]))

    return record


@pytest.fixture
def prove(
    request: pytest.FixtureRequest, tmp_path: Path, record_proof: Callable[[Proved], None]
) -> Callable[..., None]:
    """prove(Scene) or prove(Scene, "mariadb"): the scene on that backend."""
    from tests.proofs import proof

    def run(kind: Callable[[Backend], Scene], name: str = "redis") -> None:
        if name.startswith("redis"):
            backend = on_redis(request.getfixturevalue({"redis": "redis_server"}.get(name, name)))
        elif name == "mariadb":
            backend = on_mariadb(request.getfixturevalue("database"))
        else:
            backend = SQLITE
        record_proof(proof.prove(kind, tmp_path, backend))

    return run


def pytest_addoption(parser: pytest.Parser) -> None:
    """Known where tests/proofs is named on the command line."""
    parser.addoption("--table", metavar="FILE", help="print what the proofs have shown, and write it as a page to FILE")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table, where it was asked for and every proof held."""
    target = config.getoption("--table", None)
    if target is None or hasattr(config, "workerinput"):  # a worker of xdist's knows of its own tests alone
        return
    rows = rows_of(terminalreporter.stats.get("passed", []))
    terminalreporter.write_line(as_text(rows))
    if terminalreporter.stats.get("failed") or terminalreporter.stats.get("error"):
        terminalreporter.write_line(f"{target} stays as it is: not every proof held.")
    else:
        Path(target).write_text(as_page(rows), encoding="utf-8")
