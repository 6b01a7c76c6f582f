"""Commands for the nodes of a Redis cluster: asked of any node, and again of the one that a node points to.

A node that has not the slot of a key answers MOVED with the one that has. So a look takes a connection to one node, and one
more to each that holds a queue: no map of the slots is read, and nothing grows with the number of nodes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from auditor.sources.live.looking import NoAnswer, classify

T = TypeVar("T")

Command = tuple[str, ...]
Ask = Callable[[str, int, Sequence[Command]], list[Any]]
"""Host, port and commands to an answer for each, an error reply as the exception; raises where the node does not answer."""

MOST_TRIED = 5
"""Addresses of a configuration that are tried, until one answers."""
MOST_NODES = 16
"""Nodes that are asked for the queues they hold."""
_HOPS = 2
"""A second MOVED comes only while slots change hands."""
_TAG = re.compile(r"\{[^}]+\}")


def tagged(queue: str) -> str:
    """A queue's name as Laravel 13.5 and later have it on a cluster: all its keys in one slot."""
    return queue if _TAG.search(queue) else f"{{{queue}}}"


def first_answer(addresses: Sequence[str], port: int, ask: Callable[[str, int], T]) -> T:
    """What the first "host:port" gives that answers; raises NoAnswer, the last one's, where none does."""
    last = NoAnswer("refused", "no address of it is configured")
    for address in addresses[:MOST_TRIED]:
        host, _, number = address.rpartition(":")
        try:
            return ask(host.strip("[]"), int(number) if number.isdecimal() else port)
        except Exception as error:  # noqa: BLE001 - the next may answer
            last = NoAnswer(*classify(error))
    raise last


def ask_nodes(nodes: Sequence[str], of_server: Sequence[Command], of_queues: Sequence[Command], ask: Ask) -> list[Any]:
    """An answer to each command; those `of_server`, of which the first is INFO, from the node that holds the first queue.

    Raises NoAnswer where no node answers, and whatever `ask` does where one that holds a queue does not.
    """
    import redis

    seed, answers = first_answer(nodes, 6379, lambda host, port: (host, ask(host, port, [*of_server, *of_queues])))
    if isinstance(answers[0], bytes) and b"cluster_enabled:0" in answers[0]:
        raise NoAnswer(
            "unsupported", "its nodes are no Redis cluster, so that the client itself spreads keys over them"
        )
    own = len(of_server)
    for _ in range(_HOPS):
        moved: dict[tuple[str, int], list[int]] = defaultdict(list)
        for at, answer in enumerate(answers):
            if isinstance(answer, redis.exceptions.MovedError):
                moved[answer.host or seed, answer.port].append(at)
        for (host, port), places in list(moved.items())[:MOST_NODES]:
            found = ask(host, port, [*of_server, *(of_queues[at - own] for at in places)])
            for at, answer in zip(places, found[own:], strict=True):
                answers[at] = answer
            if own in places:
                answers[:own] = found[:own]
    return answers
