"""What a configuration asks of the host around it: the folders of its logs, which supervisord does not make."""

from __future__ import annotations

import os

import msgspec

from auditor.errors import Unreadable
from auditor.facts.origin import declared
from auditor.facts.supervisor import Program, SupervisorConf
from auditor.sources.tree import Tree

_MADE_AT_BOOT = ("/dev/", "/proc/", "/run/", "/sys/", "/tmp/", "/var/run/", "/var/tmp/")  # noqa: S108 - nothing is put there
"""What lies below these is not there while a host is switched off."""
_LOGS = ("stdout_logfile", "stderr_logfile")


def with_log_folders(tree: Tree, conf: SupervisorConf) -> SupervisorConf:
    """The configuration of this host, with the folder of each program's logs looked up."""
    seen: dict[str, bool] = {}
    programs = tuple(_looked_up(tree, program, seen) for program in conf.programs)
    return msgspec.structs.replace(conf, programs=programs)


def _looked_up(tree: Tree, program: Program, seen: dict[str, bool]) -> Program:
    if program.numprocs < 1:
        return program
    for field in _LOGS:
        path = getattr(program, field)
        if path is None or program.is_unknown(field) or not path.startswith("/") or path.startswith(_MADE_AT_BOOT):
            continue
        folder = path.rpartition("/")[0] or "/"
        missing = seen.get(folder)
        if missing is None:
            missing = seen[folder] = _is_missing(tree, folder)
        if missing:
            marks = {**program.marks, "log_folder_missing": declared(program.mark(field).origin)}
            return msgspec.structs.replace(program, log_folder_missing=folder, marks=marks)
    return program


def _is_missing(tree: Tree, folder: str) -> bool:
    """Whether it certainly is not there; what cannot be looked at may be."""
    try:
        os.lstat(tree.host_path(tree.relative(folder)))
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, Unreadable, ValueError):
        return False
    return False
