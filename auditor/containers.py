"""What to mount or set where an app runs in containers: there no file of the host's starts a worker."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from auditor.facts.census import take_census
from auditor.facts.container import Service
from auditor.facts.host import Host
from auditor.facts.laravel import App
from auditor.facts.launch import SCHEDULER_KINDS, WORKER_KINDS, Launch
from auditor.facts.origin import NEVER, Mark, observed, unknown
from auditor.facts.site import Site
from auditor.generate import Wishes
from auditor.remedies.env_edit import quoted
from auditor.remedies.profile import Profile, choose, profiles
from auditor.remedies.sizing import Size, Wanted, size


def advise(site: Site, wishes: Wishes) -> tuple[str, tuple[str, ...]]:
    """The profile's name, and what to do, a sentence or setting each; raises UsageError for an unknown profile."""
    app = site.apps[0] if site.apps else App(name="")
    wanted = wishes.profile or (None if site.apps else _by_image(site, wishes))
    name, profile = choose(app, wanted, wishes.profile_folders)
    workers = [one for one in site.launches if one.command.kind in (*WORKER_KINDS, "horizon")]
    told = list(profile.docker)
    services: list[Service] = [
        subject.roots[0] for subject in take_census(site).of("service") if isinstance(subject.roots[0], Service)
    ]
    sized = _size(app, profile, services, wishes)
    if not workers:
        told.append(
            f"nothing here runs its workers: give a service the command `{_command(None, profile, app, sized, wishes)}`"
        )
    for launch in workers:
        told.extend(_worker(launch, profile, app, sized, wishes))
    told.extend(_graces(services, sized))
    if not any(one.command.kind in SCHEDULER_KINDS for one in site.launches):
        told.append(
            "nothing here runs its scheduler: give one service, and one only, the command `php artisan schedule:work`"
        )
    told.extend(f"environment: {one.name}={quoted(one.value)} ({one.why})" for one in profile.env)
    return name, tuple(told)


def _by_image(site: Site, wishes: Wishes) -> str | None:
    """The profile whose name an image or its base bears."""
    names = [service.image or "" for service in site.services] + [base for image in site.images for base in image.bases]
    return next((known for known in profiles(wishes.profile_folders) if any(known in name for name in names)), None)


def _size(app: App, profile: Profile, services: list[Service], wishes: Wishes) -> Size:
    """By the memory that the caller names, else by the limit of the service that runs the workers; else the least."""
    limits = [service.memory for service in services if service.needed_by and service.memory != NEVER]
    memory = wishes.host_memory or min(limits, default=0.0) or profile.sizing.steps[0].reserve
    marks: dict[str, Mark] = {"memory": observed(), "cpus": unknown("it is a container's")}
    host = msgspec.structs.replace(Host(), memory=memory, cgroup_memory=NEVER, marks=marks)
    connection = next((one for one in app.connections if one.name == app.default_connection and not one.idles), None)
    return size(
        profile, host, app, connection, Wanted(numprocs=wishes.numprocs, memory=wishes.memory, timeout=wishes.timeout)
    )


def _worker(launch: Launch, profile: Profile, app: App, sized: Size, wishes: Wishes) -> Iterator[str]:
    command = _command(launch, profile, app, sized, wishes)
    if launch.runner == "supervisor":
        stop = f"stopwaitsecs={sized.stopwaitsecs:.0f}"
        yield f"{launch.file}, [program:{launch.name}]: command={command}, {stop}; mount it over the image's, or build it in"
    else:
        yield f"{launch.file}, {launch.name}: command: {command}"


def _command(launch: Launch | None, profile: Profile, app: App, sized: Size, wishes: Wishes) -> str:
    php = (launch.command.php if launch is not None else None) or "php"
    artisan = (launch.command.artisan if launch is not None else None) or "artisan"
    limit = f" -d memory_limit={sized.php_memory_limit:g}M" if sized.php_memory_limit else ""
    if profile.worker.kind == "horizon":
        return f"{php}{limit} {artisan} horizon"
    named = wishes.connection or (launch.command.connection if launch is not None else None)
    default = app.default_connection if not app.is_unknown("default_connection") else ""
    connection = f" {named or default}" if named or default else ""
    queue = f" --queue={','.join(profile.worker.queues)}" if profile.worker.queues else ""
    return (
        f"{php}{limit} {artisan} queue:work{connection}{queue} --sleep={profile.worker.sleep} --tries={profile.worker.tries} "
        f"--timeout={sized.timeout:.0f} --memory={sized.memory:.0f} --max-time={profile.worker.max_time}"
    )


def _graces(services: list[Service], sized: Size) -> Iterator[str]:
    """A container is killed with its workers where it may take less time to stop than their jobs."""
    for service in services:
        if service.needed_by and service.stop_grace < sized.stopwaitsecs:
            unit = "s" if service.kind == "compose" else ""
            yield (
                f"{service.file}, {service.name}: {service.grace_setting}: {sized.stopwaitsecs:.0f}{unit} "
                f"(now {service.stop_grace:.0f} s, after which {service.needed_by} is killed with its job)"
            )
