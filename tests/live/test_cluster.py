"""Queues on a real Redis cluster of two nodes, whose queues lie on one each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.crc import key_slot

from auditor.sources.live.access import Access, Queue
from auditor.sources.live.redis import look_at_redis
from auditor.sources.live.settings import cluster_access
from tests.live.real import real_host, worker, write_programs
from tests.live.test_counts import PREFIX, monitored, tinker
from tests.stack.processes import free_port
from tests.stack.redis import Redis

NOW = 2_000_000_000
QUEUES = ("{default}", "{mails}")


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Redis]]:
    """Two nodes: the slot of the one queue is the last that the first has."""
    slots = sorted(key_slot(queue.encode()) for queue in QUEUES)
    made = Redis.cluster_of(tmp_path_factory.mktemp("cluster"), slots[0])
    try:
        yield made
    finally:
        for node in made:
            node.stop()


@pytest.fixture(autouse=True)
def _empty(nodes: list[Redis]) -> None:
    for node in nodes:
        node.cli("FLUSHALL")


def access(*ports: int, laravel: tuple[int, ...] = (8, 83)) -> Access:
    """As the application's config/database.php has it."""
    return cluster_access([{"host": "127.0.0.1", "port": port} for port in ports], {}, prefix="p_", laravel=laravel)


def test_sizes_are_laravels(nodes: list[Redis], tmp_path: Path) -> None:
    """Each queue of a real application is counted on the node that holds it, as queue:monitor counts it."""
    env = {"QUEUE_CONNECTION": "redis", "REDIS_QUEUE": QUEUES[0]}
    host, app = real_host(tmp_path / "host", env)
    seeds = ", ".join(f"['host' => '127.0.0.1', 'port' => {node.port}, 'database' => 0]" for node in nodes)
    config = app.folder / "config/database.php"
    single = "\n        'default' => ["
    text = config.read_text().replace(single, f"\n        'clusters' => ['default' => [{seeds}]],\n        'one' => [")
    config.write_text(text)
    write_programs(host, worker(app).replace("--queue=default,mails", f"--queue={','.join(QUEUES)}"))
    app.push("J", count=3, queue=QUEUES[0]).must()
    app.push("M", count=2, queue=QUEUES[1]).must()
    tinker(app, f"dispatch((new App\\Jobs\\Work('L'))->onQueue('{QUEUES[1]}')->delay(1000));")

    told = host.run("facts", "--live")

    live = json.loads(told.output)["live"]
    sizes = {queue["name"]: queue["size"] for queue in live["queues"]}
    assert sizes == monitored(app, "redis", QUEUES) == dict(zip(QUEUES, (3, 3), strict=True))
    held = [node.cli("KEYS", "*").splitlines() for node in nodes]
    assert sorted(map(len, held)) == [2, 3], "each node holds one of them"
    assert all(key.startswith(PREFIX) for keys in held for key in keys)
    (server,) = live["redis_servers"]
    assert server["cluster_enabled"]
    assert server["name"] == f"redis-cluster://{','.join(f'127.0.0.1:{node.port}' for node in nodes)}"


def test_names_that_laravel_tags(nodes: list[Redis]) -> None:
    """From 13.5 on Laravel puts a name in braces itself; the queue is still called as the configuration calls it."""
    ports = [node.port for node in nodes]
    nodes[0].cli("-c", "RPUSH", "p_queues:{default}", "{}")
    nodes[0].cli("-c", "RPUSH", "p_queues:{mails}", "{}", "{}")

    found = look_at_redis(access(*ports, laravel=(13, 5)), [Queue("default"), Queue("{mails}")], NOW)

    assert found.probe.outcome == "ok"
    assert {state.name: state.size for state in found.queues} == {"default": 1, "{mails}": 2}
    before = look_at_redis(access(*ports), [Queue("default")], NOW)
    assert [(state.name, state.size) for state in before.queues] == [("default", 0)]


def test_nodes_that_fail(nodes: list[Redis], redis_server: Redis) -> None:
    """A dead node is passed over; where all are, or where they are no cluster, that is the one answer."""
    dead, alive = free_port(), nodes[1].port
    assert look_at_redis(access(dead, alive), [Queue(QUEUES[0])], NOW).probe.outcome == "ok"
    assert look_at_redis(access(dead), [], NOW).probe.outcome == "refused"

    probe = look_at_redis(access(redis_server.port), [Queue("default")], NOW).probe

    assert (probe.outcome, probe.reason.partition(",")[0]) == ("unsupported", "its nodes are no Redis cluster")
