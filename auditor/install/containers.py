"""What to mount or set where an app runs in containers: there no file of the host's starts a worker, and none is written.

What runs in a container is mended as on a host, and here the change is told: it goes into the file that is built into the
image or mounted over its own. Only what is missing gets a command by the profile.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from auditor import mend
from auditor.facts.census import take_census
from auditor.facts.container import Service
from auditor.facts.host import Host
from auditor.facts.laravel import App
from auditor.facts.launch import SCHEDULER_KINDS
from auditor.facts.origin import NEVER, Mark, observed, unknown
from auditor.facts.site import Site
from auditor.ground import Wishes
from auditor.install.running import TAKES_JOBS
from auditor.judge.rulebook import Rulebook
from auditor.remedies.env_edit import quoted
from auditor.remedies.profile import Profile, choose, shipped
from auditor.remedies.sizing import Size, Wanted, size
from auditor.sources.dotenv import env_value
from auditor.suppress.whole import Lived


def advise(
    path: str, site: Site, rules: Rulebook, wishes: Wishes, *, unsafe: bool, lived: Lived | None
) -> tuple[str, tuple[str, ...]]:
    """The profile's name, and what to do, a sentence or a setting each; raises UsageError, Unreadable, CannotMend."""
    app = site.apps[0] if site.apps else App(name="")
    name, profile = choose(app, wishes.profile or (None if site.apps else _by_image(site)))
    census = take_census(site)
    services: list[Service] = [
        subject.roots[0] for subject in census.of("service") if isinstance(subject.roots[0], Service)
    ]
    told = list(profile.docker)
    if any(one.command.kind in TAKES_JOBS for one in site.launches):
        told += _mended(path, site, rules, unsafe=unsafe, lived=lived)
    else:
        command = _command(profile, app, _size(app, profile, services, wishes), wishes)
        told.append(f"nothing here takes its jobs: give a service of its own the command `{command}`")
    told += _graces(services)
    if profile.scheduler and not any(one.command.kind in SCHEDULER_KINDS for one in site.launches):
        told.append(
            "nothing here runs its scheduler: give one service, and one only, the command `php artisan schedule:work`"
        )
    told += _environment(profile, site)
    return name, tuple(told)


def _by_image(site: Site) -> str | None:
    """The profile whose name an image or its base bears."""
    names = [service.image or "" for service in site.services] + [base for image in site.images for base in image.bases]
    return next((known for known in shipped() if any(known in name for name in names)), None)


def _mended(path: str, site: Site, rules: Rulebook, *, unsafe: bool, lived: Lived | None) -> Iterator[str]:
    """What rules would have changed in the supervisor configurations that run in the containers."""
    plan = mend.plan(path, rules, unsafe=unsafe, apps=[app.name for app in site.apps], kind=site.kind, lived=lived)
    for file in plan.files:
        for change in file.changes:
            yield f"{file.path}: {change.subject}: {change.told} ({', '.join(change.rules)}); build it in, or mount the file"
    for held in plan.withheld:
        yield f"only with --unsafe: {held.subject}: {held.reason} ({', '.join(held.rules)})"


def _graces(services: list[Service]) -> Iterator[str]:
    """A container is killed with its workers where it may take less time to stop than their jobs."""
    for service in services:
        if service.needs is not None and not service.is_unknown("needs") and service.stop_grace < service.needs:
            unit = "s" if service.kind == "compose" else ""
            yield (
                f"{service.file}: {service.name}: {service.grace_setting}: {service.needs + 30:.0f}{unit}, for now it is killed "
                f"after {service.stop_grace:.0f} s, and {service.needed_by} in it may take {service.needs:.0f} s to stop"
            )


def _environment(profile: Profile, site: Site) -> Iterator[str]:
    """The settings that no service's environment has as they should be."""
    known = dict(setting for service in site.services for setting in service.environment)
    for one in profile.env:
        if one.host_only:
            continue
        now = known.get(one.name, one.otherwise)
        if now is None or env_value(now) != env_value(one.value):
            yield f"environment: {one.name}={quoted(one.value)} ({one.why})"


def _size(app: App, profile: Profile, services: list[Service], wishes: Wishes) -> Size:
    """By the memory that the caller names, else by the least limit of a service; else for the smallest host."""
    limits = [service.memory for service in services if service.memory != NEVER]
    memory = wishes.host_memory or min(limits, default=profile.sizing.steps[0].reserve)
    marks: dict[str, Mark] = {"memory": observed(), "cpus": unknown("it is a container's")}
    host = msgspec.structs.replace(Host(), memory=memory, cgroup_memory=NEVER, marks=marks)
    connection = next((one for one in app.connections if one.name == app.default_connection and not one.idles), None)
    wanted = Wanted(numprocs=wishes.numprocs, memory=wishes.memory, timeout=wishes.timeout)
    return size(profile, host, app, connection, wanted)


def _command(profile: Profile, app: App, sized: Size, wishes: Wishes) -> str:
    limit = f" -d memory_limit={sized.php_memory_limit:g}M" if sized.php_memory_limit else ""
    if profile.worker.kind == "horizon":
        return f"php{limit} artisan horizon"
    named = wishes.connection or ("" if app.is_unknown("default_connection") else app.default_connection)
    queue = f" --queue={','.join(profile.worker.queues)}" if profile.worker.queues else ""
    return (
        f"php{limit} artisan queue:work{f' {named}' if named else ''}{queue} --sleep={profile.worker.sleep} "
        f"--tries={profile.worker.tries} --timeout={sized.timeout:.0f} --memory={sized.memory:.0f} "
        f"--max-time={profile.worker.max_time}"
    )
