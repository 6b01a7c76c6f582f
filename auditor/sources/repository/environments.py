"""What the containers that run an app set in its environment, which counts before the same name in its .env."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from auditor.sources.php.values import Unknown
from auditor.sources.repository.model import Container


def agreed(
    containers: Iterable[tuple[Container, Mapping[str, str | None]]],
) -> dict[str, str | Unknown]:
    """Each name that one of these sets: the value where all set the same, else why it is not known.

    A name that is only handed on from the deployment's own environment says nothing, and is left out.
    """
    each = list(containers)
    found: dict[str, str | Unknown] = {}
    for name in dict.fromkeys(name for _, environment in each for name in environment):
        if any(name in container.passed for container, _ in each):
            continue
        values = {environment.get(name, _MISSING) for _, environment in each}
        setters = [container.name for container, environment in each if name in environment]
        value = next(iter(values))
        if len(values) == 1 and value is not None:
            found[name] = value
        elif None in values:
            found[name] = Unknown(f"{setters[0]} sets {name} to what is not known here", 0)
        else:
            found[name] = Unknown(f"the services that run it do not all set {name} alike", 0)
    return found


_MISSING = "\0"
"""In place of a value that a container does not set: no environment holds it."""
