"""What a repository's containers mean for what runs in them: who gets how long to stop, and which servers hold the jobs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import msgspec

from auditor.facts.container import WHOLE_KINDS, Image, ServerImage, Service
from auditor.facts.launch import WORKER_KINDS, Launch
from auditor.facts.origin import Fact, Mark, Version, declared, unknown
from auditor.facts.queue import Connection
from auditor.facts.site import Site
from auditor.facts.supervisor import Program


class Deployment:
    """The services of a site by what runs in them."""

    def __init__(self, site: Site) -> None:
        """Look at this site."""
        self.site = site
        self.by_name = {(service.file, service.name): service for service in site.services}
        self.by_conf: dict[str, list[Service]] = defaultdict(list)
        for service in site.services:
            for conf in service.confs:
                self.by_conf[conf].append(service)

    def of(self, launch: Launch) -> Service | str | None:
        """The service that a launch runs in; where several do, what they agree on; why it is not known; None for none."""
        if launch.runner != "supervisor":
            return self.by_name.get((launch.file, launch.name))
        found = self.by_conf.get(launch.conf) or self.by_conf.get(launch.file)
        if found:
            return found[0] if len(found) == 1 else _agreed(found)
        return "which container its supervisord runs in is not known from here" if self.site.kind != "host" else None

    def files_owner(self, launch: Launch, table: Fact | None) -> tuple[str, Mark | None]:
        """Whom the image that a cron table is put into gives the app's files to, and where; "" where that is not told."""
        placed = table.mark("kind").origin if table is not None else None
        files = (launch.file, placed.file if placed is not None else "")
        image = next((image for image in self.site.images if image.file in files and image.files_owner), None)
        return (image.files_owner, image.mark("files_owner")) if image is not None else ("", None)

    def told(self, workers: Iterable[tuple[Launch, Fact, str]], programs: dict[int, Program]) -> tuple[Service, ...]:
        """Each service with how long what runs in it may take to stop.

        `workers` are the launches of workers and Horizon masters, each with its fact and the name of its time-out;
        `programs` are those of them that supervisord runs, by the launch's id.
        """
        needs: dict[tuple[str, str], list[tuple[float, str, bool, Mark]]] = defaultdict(list)
        for launch, fact, field in workers:
            program = programs.get(id(launch))
            if launch.command.kind == "queue:listen":
                continue  # it ends at once when it is asked to, and its job with it, however long that would be waited for
            if program is not None:
                for service in self.by_conf.get(launch.conf) or self.by_conf.get(launch.file) or ():
                    mark = _placed(program, "stopwaitsecs")
                    needs[service.file, service.name].append((program.stopwaitsecs, launch.name, True, mark))
            elif (launch.file, launch.name) in self.by_name:
                mark = _placed(fact, field)
                if not launch.live:
                    mark = unknown(f"whether it starts {_spoken(launch)} is decided when it starts", mark.origin)
                needs[launch.file, launch.name].append((getattr(fact, field), _spoken(launch), False, mark))
        return tuple(_needing(service, needs.get((service.file, service.name), [])) for service in self.site.services)

    def unscheduled(self, app: str, schedulers: Iterable[Launch]) -> tuple[tuple[str, ...], Mark | None]:
        """Files that run all of an app on a platform and nothing that starts its scheduler; an image that may is a doubt."""
        schedulers = list(schedulers)
        found: dict[str, Mark] = {}
        doubt = None
        for file in dict.fromkeys(service.file for service in self.site.services if service.kind in WHOLE_KINDS):
            services = [service for service in self.site.services if service.file == file]
            runs_app = any(launch.file == file and launch.app == app for launch in self.site.launches)
            if not runs_app or any(self._schedules(service, launch) for launch in schedulers for service in services):
                continue
            hidden = next((service for service in services if self._may_schedule(service)), None)
            if hidden is None:
                found[file] = declared(services[0].place)
            else:
                doubt = unknown(
                    f"whether the image of {hidden.name} starts the scheduler is not seen here", hidden.place
                )
        first = next(iter(found.values()), doubt)
        return tuple(found), first

    def _schedules(self, service: Service, launch: Launch) -> bool:
        """Whether a scheduler is started in a service, or by what its image puts in place."""
        if (launch.file, launch.name) == (service.file, service.name) or launch.conf in service.confs:
            return True
        return launch.file == service.built_from or any(
            table.path == launch.file
            and (place := table.mark("kind").origin) is not None
            and place.file == service.built_from
            for table in self.site.tables
        )

    def _may_schedule(self, service: Service) -> bool:
        """Whether a service starts what its image says, and that is not seen, or brings a daemon that may run anything."""
        if service.command is not None or service.periodic:
            return False
        image = next((one for one in self.site.images if one.file == service.built_from), None)
        return image is None or image.has_cron or image.has_supervisor

    def images(self) -> tuple[Image, ...]:
        """Each image, told whether workers are known to run in it."""
        built = {
            service.built_from
            for service in self.site.services
            for launch in self.site.launches
            if self.runs(launch, service)
        }
        works = any(launch.command.kind in (*WORKER_KINDS, "horizon") for launch in self.site.launches)
        sole = len({image.file for image in self.site.images}) == 1
        found = []
        for image in self.site.images:
            here = image.file in built or (works and sole)
            found.append(msgspec.structs.replace(image, runs_workers=here))
        return tuple(found)

    def runs(self, launch: Launch, service: Service) -> bool:
        """Whether a worker or Horizon runs in a service."""
        if launch.command.kind not in (*WORKER_KINDS, "horizon"):
            return False
        if launch.runner == "supervisor":
            return launch.conf in service.confs or launch.file in service.confs
        return (launch.file, launch.name) == (service.file, service.name)

    def with_servers(self, connection: Connection) -> Connection:
        """The connection with what the images of its servers tell."""
        if connection.driver == "redis":
            return self._redis(connection)
        if connection.driver == "database" and connection.database_driver in ("mysql", "mariadb"):
            return self._database(connection)
        return connection

    def servers(self, *products: str) -> list[ServerImage]:
        """Those of these products that are meant for more than a developer's machine."""
        return [server for server in self.site.servers if server.product in products and not server.development]

    def _redis(self, connection: Connection) -> Connection:
        servers = self.servers("redis")
        host = connection.redis_address.rpartition(":")[0]
        if host and not connection.is_unknown("redis_address"):
            servers = [server for server in servers if server.name == host] or servers
        if not servers:
            return connection
        first = servers[0]
        names = tuple(dict.fromkeys(server.name for server in servers))
        marks = dict(connection.marks)
        marks["redis_server"] = declared(first.place)
        doubt = next((s.mark(f) for s in servers for f in ("policy", "max_memory") if s.is_unknown(f)), None)
        evicts = [server for server in servers if server.evicts]
        if not evicts and doubt is None:
            return msgspec.structs.replace(connection, marks=marks, redis_server=first.name)
        if len(evicts) == len(servers):
            first = evicts[0]
            marks["redis_evicts"] = marks["redis_policy"] = first.mark("policy")
            marks["redis_server"] = declared(first.place)
            return msgspec.structs.replace(
                connection, marks=marks, redis_server=first.name, redis_policy=first.policy, redis_evicts=True
            )
        reason = doubt.reason if doubt is not None and not evicts else None
        marks["redis_evicts"] = marks["redis_policy"] = unknown(
            reason or f"which of {', '.join(names)} holds its jobs is not known"
        )
        return msgspec.structs.replace(connection, marks=marks, redis_server=first.name)

    def _database(self, connection: Connection) -> Connection:
        if connection.database_version and not connection.is_unknown("database_version"):
            return connection
        servers = self.servers("mysql", "mariadb")
        versions = {newest(server.product, server.version) for server in servers}
        if len(versions) != 1 or any(server.is_unknown("version") for server in servers):
            return connection
        marks = {**connection.marks, "database_version": servers[0].mark("version")}
        return msgspec.structs.replace(connection, marks=marks, database_version=versions.pop())


def newest(product: str, version: Version) -> Version:
    """The release that a tag names; of a series, its newest: "8" and "8.0" are no 8.0.0."""
    if product == "mysql" and version in ((8,), (8, 0)):
        return (*version, 99)
    return (10, 99) if product == "mariadb" and version == (10,) else version


def _placed(fact: Fact, field: str) -> Mark:
    """How a field is known; where it is a default, placed where it would be written."""
    mark = fact.marks.get(field)
    return mark if mark is not None else declared(fact.where(field))


def _spoken(launch: Launch) -> str:
    return launch.command.kind


def _needing(service: Service, needs: list[tuple[float, str, bool, Mark]]) -> Service:
    if not needs:
        return service
    known = [need for need in needs if need[3].reason is None]
    doubts = [need for need in needs if need[3].reason is not None]
    longest = max(known, key=lambda need: need[0], default=None)
    marks = dict(service.marks)
    if doubts and (longest is None or longest[0] <= service.stop_grace):
        for field in ("needs", "needed_by", "supervised"):
            marks[field] = doubts[0][3]
        return msgspec.structs.replace(service, marks=marks)
    assert longest is not None
    seconds, name, supervised, mark = longest
    marks["needs"] = mark
    return msgspec.structs.replace(service, marks=marks, needs=seconds, needed_by=name, supervised=supervised)


def _agreed(services: list[Service]) -> Service:
    """One service for several: what they differ in is unknown."""
    first = services[0]
    reason = f"{len(services)} services run it, and they differ"
    values: dict[str, Any] = {}
    marks = dict(first.marks)
    for field in Service.__struct_fields__:
        if field not in ("marks", "name", "file") and any(
            getattr(other, field) != getattr(first, field) or other.is_unknown(field) != first.is_unknown(field)
            for other in services[1:]
        ):
            marks[field] = unknown(reason)
    return msgspec.structs.replace(first, marks=marks, **values)
