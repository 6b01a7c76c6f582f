"""The supervisords that a host's configurations describe, asked through the sockets that those open."""

from __future__ import annotations

import msgspec

from auditor.errors import Unreadable
from auditor.facts.supervisor import HttpServer, SupervisorConf
from auditor.sources.live.access import LIMITS, NO_SECRET, Limits, Secret
from auditor.sources.live.looking import NoAnswer, unsupported
from auditor.sources.live.supervisord import DaemonLook, ask_supervisord
from auditor.sources.supervisor.expand import Names, expand
from auditor.sources.supervisor.merge import Merged, Text, read_all
from auditor.sources.tree import Tree


def ask_daemon(tree: Tree, conf: SupervisorConf, limits: Limits = LIMITS) -> DaemonLook:
    """Ask the daemon of one configuration through its first socket that answers, its unix socket before all."""
    looks: list[DaemonLook] = []
    for server in sorted(conf.http_servers, key=lambda server: server.kind != "unix"):
        try:
            secret = _password(tree, conf, server)
        except NoAnswer as problem:
            probe = unsupported(problem.reason).probe("supervisord", f"[{server.section}]")
            looks.append(DaemonLook(probe))
            continue
        looks.append(ask_supervisord(server, secret, conf=conf, root=tree.root, limits=limits))
        if looks[-1].daemon is not None:
            break
    answered = next((look for look in looks if look.daemon is not None), looks[0])
    return answered._replace(probe=msgspec.structs.replace(answered.probe, conf=conf.main))


def _password(tree: Tree, conf: SupervisorConf, server: HttpServer) -> Secret:
    """The password that a socket asks for, from its section, or from supervisorctl's where it is kept as a hash."""
    if not server.username:
        return NO_SECRET
    try:
        text = read_all(tree, conf.main)
    except Unreadable:
        raise NoAnswer("unsupported", "its configuration can no longer be read") from None
    found = _option(text, server.section, "password")
    if found.startswith("{SHA}"):
        if _option(text, "supervisorctl", "username") != server.username:
            raise NoAnswer("unsupported", "its password is kept as a hash, and supervisorctl has none for that user")
        found = _option(text, "supervisorctl", "password")
    return Secret(found)


def _option(text: Text, section: str, option: str) -> str:
    found: Merged | None = text.sections.get(section)
    written = text.get(found, option) if found is not None else None
    if written is None:
        return ""
    done = expand(written.value, Names({"here": text.here}, host=False))
    if done.kind is not None or done.symbols:
        raise NoAnswer("unsupported", f"its {option} is taken from the environment that supervisord was started with")
    return done.text
