"""config/horizon.php: the Horizon supervisors of each environment, with `defaults` merged into every one (ProvisioningPlan)."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import Any

from auditor.facts.origin import NEVER, Mark, declared, origin, unknown
from auditor.facts.queue import Pool
from auditor.sources.app_config import Config, Found
from auditor.sources.connections import seconds_of
from auditor.sources.php.values import PhpArray, Unknown

_NUMBERS = {
    "timeout": ("timeout", float),
    "memory": ("memory", float),
    "sleep": ("sleep", float),
    "tries": ("tries", int),
    "maxProcesses": ("max_processes", int),
    "processes": ("max_processes", int),
    "minProcesses": ("min_processes", int),
    "maxTime": ("max_time", float),
    "maxJobs": ("max_jobs", int),
}
"""Key of a Horizon supervisor to the field of a Pool and its type; `processes` is the older name of maxProcesses."""


def read_horizon(
    config: Config, read: Callable[[str], bytes | None], app: str, environment: str, marks: dict[str, Mark]
) -> dict[str, Any]:
    """The fields of an App that concern Horizon."""
    present = config.has("horizon")
    lock = read("composer.lock") or read("composer.json") or b""
    installed = b'"laravel/horizon"' in lock
    if not present:
        if installed:
            marks["pools"] = unknown("its config/horizon.php is not here")
            marks["horizon_environments"] = marks["horizon_environment_matches"] = marks["pools"]
        return {"has_horizon": installed}
    environments = config.keys("horizon", "environments")
    if environments is None:
        reason = unknown("the environments in config/horizon.php cannot be known without running it")
        marks["pools"] = marks["horizon_environments"] = marks["horizon_environment_matches"] = reason
        return {"has_horizon": True, "horizon_published": True}
    whole = config.get("horizon", "environments")
    marks["horizon_environments"] = whole.mark if whole.mark.origin else declared(origin("config/horizon.php"))
    running = _running(config, environment, marks)
    match = _matching(environments, running) if running is not None else None
    if running is None:
        marks["horizon_environment_matches"] = marks["environment"]
        # Where the environment is not told, the ones that are plainly for developers are not the live ones.
        live = {name for name in environments if name not in ("local", "testing", "development", "dev")}
    else:
        live = {match} if match is not None else set()
    pools = tuple(
        pool for name in environments for pool in _pools(config, name, app, live=name in live, sure=running is not None)
    )
    return {
        "has_horizon": True,
        "horizon_published": True,
        "horizon_environments": environments,
        "horizon_environment_matches": match is not None or running is None,
        "pools": pools,
    }


def _running(config: Config, environment: str, marks: dict[str, Mark]) -> str | None:
    """The environment Horizon runs in: `horizon.env`, else the app's; None where that is not known."""
    own = config.get("horizon", "env")
    if own.known and isinstance(own.value, str) and own.value:
        return own.value
    mark = marks.get("environment")
    return None if mark is not None and mark.reason is not None else environment


def _matching(environments: tuple[str, ...], running: str) -> str | None:
    """The first key that is the environment, or a pattern for it (Str::is)."""
    if running in environments:
        return running
    return next((name for name in environments if fnmatch.fnmatchcase(running, name.replace("[", "[[]"))), None)


def _pools(config: Config, environment: str, app: str, *, live: bool, sure: bool) -> list[Pool]:
    own = config.keys("horizon", "environments", environment)
    defaults = config.keys("horizon", "defaults") or ()
    names = dict.fromkeys([*(own or ()), *defaults])
    found = []
    for name in names:
        reader = _Reader(config, environment, name)
        pool = reader.pool(app, live=live)
        if own is None:
            reason = unknown(
                f"the supervisors of {environment} in config/horizon.php cannot be known without running it"
            )
            pool = Pool(
                marks={"timeout": reason, "connection": reason, "queues": reason},
                name=name,
                app=app,
                environment=environment,
            )
        if not sure and not live:
            continue
        found.append(pool)
    return found


class _Reader:
    def __init__(self, config: Config, environment: str, name: str) -> None:
        self.config = config
        self.places = (("environments", environment, name), ("defaults", name))
        self.environment = environment
        self.name = name
        self.marks: dict[str, Mark] = {}

    def get(self, key: str) -> Found:
        """The environment's own value, else that of `defaults`."""
        own, default = (self.config.get("horizon", *place, key) for place in self.places)
        return own if own.written or not own.known else default

    def pool(self, app: str, *, live: bool) -> Pool:
        values: dict[str, Any] = {}
        for place in self.places:
            whole = self.config.get("horizon", *place)
            if whole.mark.origin is not None:
                self.marks["name"] = declared(whole.mark.origin)
                break
        for key, (field, kind) in _NUMBERS.items():
            found = self.get(key)
            if not found.known:
                self.marks.setdefault(field, found.mark)
            elif found.written and (number := seconds_of(found.value)) is not None:
                if field in values and key == "processes":
                    continue
                values[field] = kind(number)
                if found.mark.origin is not None:
                    self.marks[field] = found.mark
        if values.get("timeout") == 0:
            values["timeout"] = NEVER
        for key, field in (("connection", "connection"), ("balance", "balance")):
            found = self.get(key)
            if not found.known:
                self.marks[field] = found.mark
            elif isinstance(found.value, str):
                values[field] = found.value
                if found.mark.origin is not None:
                    self.marks[field] = found.mark
        queues = self.get("queue")
        if not queues.known:
            self.marks["queues"] = queues.mark
        elif isinstance(queues.value, PhpArray):
            items = [entry.value for entry in queues.value]
            if any(isinstance(item, Unknown) for item in items) or not queues.value.is_certain:
                self.marks["queues"] = unknown(
                    "its queues cannot be known without running config/horizon.php", queues.mark.origin
                )
            else:
                values["queues"] = tuple(str(item) for item in items)
                self.marks["queues"] = queues.mark
        elif isinstance(queues.value, str):
            values["queues"] = tuple(queues.value.split(","))
            self.marks["queues"] = queues.mark
        return Pool(marks=self.marks, name=self.name, app=app, environment=self.environment, live=live, **values)
