"""The generating flow: an app's supervisor, cron and logrotate files from nothing, sized for this host, and judged."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from auditor import audit
from auditor.dialects.conf import lex
from auditor.errors import CannotMend, UsageError
from auditor.facts.launch import SCHEDULER_KINDS, WORKER_KINDS, Launch
from auditor.findings import Finding, Severity
from auditor.ground import Ground, Wishes, take_ground
from auditor.judge.rulebook import Rulebook
from auditor.remedies.logrotate import logrotate_file
from auditor.remedies.scheduler import DISCARDED, cron_line
from auditor.remedies.sizing import Size
from auditor.remedies.template import render, word
from auditor.sources.tree import Tree

NOT_OURS = frozenset({"memory/workers-fit-host", "timeouts/timeout-not-enforced"})
"""Rules that a file of ours can break by what the host lacks, or by what else runs on it: told, and no reason to stop."""


class Generated(msgspec.Struct, frozen=True):
    """The files, and how they came about."""

    profile: str
    """The profile they follow."""
    files: dict[str, str]
    """Path below the root to content."""
    sums: tuple[str, ...]
    """The arithmetic behind numprocs, memory, timeout and stopwaitsecs."""
    replaces: tuple[str, ...]
    """What already runs workers or the scheduler of this app, and has to go where the new ones come."""
    left: tuple[Finding, ...]
    """What still stands against the host with these files in place: settings that no file of ours holds."""


def generate(path: str, app: str, rules: Rulebook, wishes: Wishes) -> Generated:
    """Files for one app of a host; raises UsageError, Unreadable, CannotMend."""
    ground = take_ground(path, app, wishes)
    if ground.no_worker:
        raise UsageError(ground.no_worker)
    size = ground.size()
    files = {
        ground.program_path: program_text(ground, size, ground.program_name, ground.program_path),
    }
    logs = [ground.inside(log) for log in ground.profile.logs]
    if ground.profile.scheduler:
        files[ground.cron_path] = cron_text(ground, ground.cron_path)
        logs += [log for log in [ground.scheduler_log] if log is not None]
    if logs and ground.rotates:
        files[ground.logrotate_path] = logrotate_text(ground, logs)
    kinds = (*WORKER_KINDS, "horizon", *SCHEDULER_KINDS)
    old = [one for one in ground.site.launches if one.app == ground.app.name and one.command.kind in kinds]
    replaced = [launch for launch in old if launch.file not in files]
    overrides = {**taken_away(Tree(path), replaced), **{p: text.encode() for p, text in files.items()}}
    verdict = audit.judge(audit.look(path, apps=[app], kind="host", overrides=overrides), rules)
    refuse_own_errors(verdict.findings, files)
    names = tuple(dict.fromkeys(launch.name for launch in replaced))
    return Generated(ground.profile_name, files, size.sums, names, verdict.findings)


def taken_away(tree: Tree, launches: Sequence[Launch]) -> dict[str, bytes]:
    """The files that start these, without them: how the host looks once a person has taken them away."""
    texts: dict[str, bytes] = {}
    for launch in launches:
        lines = texts.get(launch.file, tree.read(launch.file)).split(b"\n")
        if launch.runner == "cron":
            lines[launch.line - 1] = b""
        elif launch.runner == "supervisor":
            lines = _without_section(lines, f"program:{launch.name}")
        else:
            lines = []
        texts[launch.file] = b"\n".join(lines)
    return texts


def _without_section(lines: list[bytes], section: str) -> list[bytes]:
    """A supervisor file's lines with those of one section blank."""
    blocks = lex(b"\n".join(lines).decode("utf-8", "replace")).blocks
    starts = [*(block.line - 1 for block in blocks), len(lines)]
    for block, start, end in zip(blocks, starts, starts[1:], strict=False):
        if block.name == section:
            lines[start:end] = [b""] * (end - start)
    return lines


def refuse_own_errors(findings: Sequence[Finding], files: Collection[str]) -> None:
    """Raise CannotMend where one of our own files would be at fault."""
    own = [one for one in findings if one.file in files and one.severity is Severity.ERROR and one.rule not in NOT_OURS]
    if own:
        raise CannotMend(own[0].file, f"the generated file would break {own[0].rule}: {own[0].message.rstrip('.')}")


def program_text(ground: Ground, size: Size, name: str, path: str) -> str:
    """The supervisor program that runs its workers, or its Horizon master."""
    account = ground.who()
    return render(
        "supervisor/program.conf.j2",
        programs=[
            {
                "name": word(name, "the program's name", path),
                "command": _command(ground, size),
                "directory": ground.folder,
                "numprocs": size.numprocs,
                "startsecs": 1,
                "startretries": ground.profile.worker.startretries,
                "stopwaitsecs": int(size.stopwaitsecs),
                "killasgroup": ground.profile.worker.killasgroup,
                "user": account.user,
                "home": account.home,
                "log": f"{ground.log_folder}/{name}{'_%(process_num)02d' if size.numprocs > 1 else ''}.log",
            }
        ],
    )


def cron_text(ground: Ground, path: str) -> str:
    """The file of cron.d that runs its scheduler."""
    log = ground.scheduler_log
    line = cron_line(
        ground.app,
        ground.site,
        path,
        system=True,
        user=ground.who().user,
        php=ground.php,
        memory_limit=ground.profile.worker.php_memory_limit,
        output=f">> {word(log, 'the log', path)} 2>&1" if log is not None else DISCARDED,
    )
    return render("cron/scheduler.j2", app=ground.folder, line=line.rstrip("\n"))


def logrotate_text(ground: Ground, logs: Sequence[str]) -> str:
    """The logrotate file for these logs, absolute paths."""
    account = ground.who()
    mine = [log for log in logs if log.startswith(ground.inside(""))]
    others = [log for log in logs if log not in mine]
    return logrotate_file(ground.folder, mine, others, account.user, account.group, ground.logrotate_path)


def _command(ground: Ground, size: Size) -> str:
    worker = ground.profile.worker
    limit = f" -d memory_limit={size.php_memory_limit:g}M" if size.php_memory_limit else ""
    start = f"{ground.php}{limit} {ground.inside('artisan')}"
    if worker.kind == "horizon":
        return f"{start} horizon"
    options = {
        "queue": ",".join(worker.queues),
        "sleep": worker.sleep,
        "tries": worker.tries,
        "timeout": int(size.timeout),
        "memory": int(size.memory),
        "max-time": worker.max_time,
    }
    written = " ".join(f"--{option}={value}" for option, value in options.items() if value != "")
    connection = ground.connection
    named = f" {word(connection.name, 'the connection', ground.drop_in)}" if connection is not None else ""
    return f"{start} queue:work{named} {written}"
