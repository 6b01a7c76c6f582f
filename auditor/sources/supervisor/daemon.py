"""[supervisord], the http servers, supervisorctl and the plugins."""

from __future__ import annotations

from auditor.facts.origin import declared
from auditor.facts.supervisor import HttpServer, Supervisorctl, Supervisord
from auditor.sources.supervisor import values
from auditor.sources.supervisor.expand import Names
from auditor.sources.supervisor.merge import Merged, Text
from auditor.sources.supervisor.oddities import hide_pairs, oddity
from auditor.sources.supervisor.reading import Environment, Fields, Reading, is_placeholder
from auditor.sources.supervisor.vocabulary import SERVERS


def read_supervisord(reading: Reading) -> tuple[Supervisord, Environment]:
    """The daemon's own options, and its environment with true values."""
    section = reading.text.sections.get("supervisord")
    if section is None:
        return Supervisord(), Environment(None, {}, None)
    fields = Fields()
    names = Names({"here": reading.text.here}, host=False)
    for option, convert in values.SUPERVISORD.items():
        reading.read(section, option, convert, names, fields)
    environment = reading.environment(section, names, twice=True)
    if environment.mark is not None:
        fields.marks["environment"] = environment.mark
        fields.values["environment"] = hide_pairs(environment.pairs)
    if str(fields.values.get("logfile", "")).lower() == "syslog":
        fields.values["logfile"] = "syslog"
    return Supervisord(marks=fields.marks, **fields.values), environment


def read_plugins(reading: Reading, known: dict[str, object]) -> bool:
    """Check the plugin sections; whether the interface that supervisorctl needs is there."""
    text = reading.text
    for kind, option in (
        ("rpcinterface", "supervisor.rpcinterface_factory"),
        ("ctlplugin", "supervisor.ctl_factory"),
    ):
        strict = kind == "rpcinterface"  # supervisord does not look at ctlplugin sections
        for section in text.of_kind(kind):
            names = Names(known, host=False)
            for name in dict.fromkeys((option, *section.options, *text.defaults.options)):
                reading.read(section, name, values.plain, names, Fields(), strict=strict)
            if text.get(section, option) is None:
                _section_odd(reading, "plugin-without-factory", f"it has no {option}=", section, refuses=strict)
    return "rpcinterface:supervisor" in text.sections


def read_servers(reading: Reading, known: dict[str, object]) -> tuple[HttpServer, ...]:
    """The sockets supervisord opens."""
    found = []
    for kind in SERVERS:
        for section in reading.text.of_kind(kind):
            if section.name != kind and not section.name.startswith(f"{kind}:"):
                detail = f"supervisord opens it as a server all the same, for its name begins with {kind}"
                _section_odd(reading, "server-section-prefix", detail, section)
            found.append(_server(reading, section, kind, known))
    return tuple(found)


def _server(reading: Reading, section: Merged, kind: str, known: dict[str, object]) -> HttpServer:
    fields = Fields()
    names = Names({name: value for name, value in known.items() if name != "here"}, host=False)
    option = "port" if kind == "inet_http_server" else "file"
    if option == "port":
        reading.read(section, "port", values.inet_address, names, fields)
        if "port" in fields.values:
            host, port = fields.values.pop("port")
            fields.values |= {"host": host, "port": port, "address": f"{host or '*'}:{port}"}
    else:
        reading.read(section, "file", str.strip, Names(known, host=False), fields)
        fields.values["address"] = fields.values.get("file", "")
        reading.read(section, "chmod", values.octal, names, fields)
        reading.read(section, "chown", values.user, names, fields)
    if option not in fields.marks:
        _section_odd(reading, "server-without-address", f"it has no {option}=", section, refuses=True)
    else:
        for name in ("address", "host", "file", "port"):
            fields.marks.setdefault(name, fields.marks[option])
    _authentication(reading, section, names, fields, strict=True)
    marks = fields.marks
    head = declared(section.headers[-1])
    marks = {"section": head, "kind": head, **marks}
    return HttpServer(section=section.name, kind=kind.partition("_")[0], marks=marks, **fields.values)


def _authentication(reading: Reading, section: Merged, names: Names, fields: Fields, *, strict: bool) -> None:
    username = reading.read(section, "username", values.plain, names, fields, strict=strict)
    password = reading.read(section, "password", values.plain, names, fields, strict=strict)
    fields.values.pop("password", None)
    mark = fields.marks.pop("password", None)
    if password is not None and mark is not None:
        fields.values["has_password"] = is_placeholder(password.value) or password.value != ""
        fields.marks["has_password"] = mark
    if not strict:
        return
    if (username is None) != (password is None):
        missing = "username" if username is None else "password"
        _section_odd(reading, "incomplete-authentication", f"it has no {missing}=", section, refuses=True)
    elif username is not None and fields.values.get("username") == "":
        detail = "an empty username switches the password off"
        reading.odd("empty-username", detail, username, section)


def read_supervisorctl(text: Text, reading: Reading) -> Supervisorctl | None:
    """What supervisorctl reads, which looks at the main file alone."""
    section = text.sections.get("supervisorctl")
    if section is None:
        return None
    if all(place.file != text.main for place in section.headers):
        detail = "supervisorctl reads the main file only, so it does not see this section"
        _section_odd(reading, "supervisorctl-not-in-main", detail, section)
        return None
    options = {
        name: kept
        for name, written in section.options.items()
        if (kept := [one for one in written if one.origin.file == text.main])
    }
    alone = Merged(section.name, section.kind, section.headers, options)
    fields = Fields()
    names = Names({"here": text.here}, host=False)
    reading.read(alone, "serverurl", values.plain, names, fields, strict=False)
    _authentication(reading, alone, names, fields, strict=False)
    head = declared(section.headers[0])
    return Supervisorctl(marks={"section": head, **fields.marks}, **fields.values)


def _section_odd(reading: Reading, kind: str, detail: str, section: Merged, *, refuses: bool = False) -> None:
    reading.oddities.append(oddity(kind, detail, section.headers[-1], refuses=refuses, section=section.name))
