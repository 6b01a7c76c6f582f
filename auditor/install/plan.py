"""Planning: what was found, what is decided by it, each file and setting, and what is left to a person.

What runs already is mended in its own files by the flow that `fix` has; a file is made only for what is missing.
"""

from __future__ import annotations

import fnmatch
import functools
from collections import defaultdict
from pathlib import Path

import msgspec

from auditor import audit, mend
from auditor.errors import UsageError
from auditor.facts.census import take_census
from auditor.facts.launch import SCHEDULER_KINDS
from auditor.facts.site import Site
from auditor.findings import Verdict
from auditor.generate import cron_text, logrotate_text, program_text, refuse_own_errors
from auditor.ground import NO_ACCOUNT, Ground, Wishes, take_ground
from auditor.install import running
from auditor.install.containers import advise
from auditor.install.model import Piece, Plan, Setting
from auditor.install.record import is_foreign
from auditor.install.settings import settings
from auditor.judge.rulebook import Rulebook
from auditor.remedies.plan import Change
from auditor.remedies.plan import Plan as Mended
from auditor.remedies.sizing import Size
from auditor.sources.survey import kind_of_tree
from auditor.sources.tree import Tree
from auditor.suppress.whole import Lived


def plan(
    path: str,
    app: str | None,
    rules: Rulebook,
    wishes: Wishes,
    *,
    with_env: bool = False,
    unsafe: bool = False,
    lived: Lived | None = None,
) -> Plan:
    """What would set up one app of a host, or of containers; raises UsageError, Unreadable, CannotMend.

    `with_env` lets the settings of .env be written, `unsafe` lets changes be made that may alter what a program means.
    """
    if kind_of_tree(Tree(path)) != "host":
        site = audit.look(path, apps=[app] if app is not None else [], kind="repository")
        return _in_containers(path, site, rules, wishes, unsafe=unsafe, lived=lived)
    folder = app if app is not None else _only_app(path)
    site = audit.look(path, apps=[folder], kind="host")
    ninja = site.apps[0].ninja
    if ninja is not None and ninja.is_docker and not any(conf.is_main for conf in site.confs):
        return _in_containers(path, site, rules, wishes, unsafe=unsafe, lived=lived)
    ground = take_ground(path, folder, wishes, may_set_connection=True)
    return _Installer(path, folder, rules, ground, with_env=with_env, unsafe=unsafe, lived=lived).plan()


def _in_containers(
    path: str, site: Site, rules: Rulebook, wishes: Wishes, *, unsafe: bool, lived: Lived | None
) -> Plan:
    name, told = advise(path, site, rules, wishes, unsafe=unsafe, lived=lived)
    app = site.apps[0].name if site.apps else ""
    return Plan(root=Path(Tree(path).root), app=app, kind=site.kind, profile=name, containers=told)


def _only_app(path: str) -> str:
    names = [one.name for one in audit.look(path, kind="host").apps]
    if len(names) != 1:
        told = f"there are {', '.join(names)}" if names else "none is seen"
        raise UsageError(f"which app to set up is not plain, {told}; name it with --app")
    return names[0]


class _Installer:
    def __init__(
        self,
        path: str,
        app: str,
        rules: Rulebook,
        ground: Ground,
        *,
        with_env: bool,
        unsafe: bool,
        lived: Lived | None,
    ) -> None:
        self.path = path
        self.app = app
        self.rules = rules
        self.ground = ground
        self.with_env = with_env
        self.unsafe = unsafe
        self.lived = lived
        self.tree = Tree(path)
        self.texts: dict[str, bytes] = {}
        self.notes: dict[str, list[str]] = defaultdict(list)
        self.made: set[str] = set()
        self.programs: set[str] = set()
        self.stays: list[str] = []
        self.by_hand: list[str] = []
        self.sums: tuple[str, ...] = ()

    def plan(self) -> Plan:
        ground = self.ground
        self.worker()
        self.scheduler()
        changes, env_piece = self.env()
        if ground.conf is None:
            self.by_hand.append("no supervisord is seen on this host: install supervisor (apt-get install supervisor)")
        verdict = audit.judge(self.look(), self.rules)
        self.logrotate(verdict)
        self.homes(verdict)
        found = running.workers(ground.site, ground.app)
        asks = [*running.asked(ground, found), *running.sized(ground, found, verdict, self.size)]
        if ground.wanted.numprocs is not None and len(found) > 1:
            self.by_hand.append(f"{len(found)} programs share the work: set numprocs of each by hand")
        done = mend.plan(
            self.path,
            self.rules,
            unsafe=self.unsafe,
            apps=[self.app],
            kind="host",
            lived=self.lived,
            only=running.mended(ground),
            start=self.texts,
            asks=asks,
        )
        for file in done.files:
            self.put(file.path, file.after, *(_note(change) for change in file.changes))
            self.programs |= {change.subject for change in file.changes}
        refuse_own_errors(audit.judge(self.look(), self.rules).findings, self.made)
        return self.told(done, changes, env_piece)

    def told(self, done: Mended, changes: list[Setting], env_piece: Piece | None) -> Plan:
        """The plan as it is told, once every text is settled."""
        ground, after = self.ground, self.look()
        pieces = [
            Piece(path, self.held(path), text, tuple(self.notes[path]))
            for path, text in sorted(self.texts.items())
            if text != self.held(path)
        ]
        changed = {piece.path for piece in pieces}
        patience: dict[str, float] = {}  # what runs stops by what was written before
        for conf in (*ground.site.confs, *after.confs):
            for program in conf.programs:
                if program.name in self.programs and changed & set(conf.files):
                    patience[program.group] = max(program.stopwaitsecs, patience.get(program.group, 0))
        plan = Plan(
            root=Path(self.tree.root),
            app=ground.app.name,
            profile=ground.profile_name,
            found=tuple(self.found()),
            stays=(*self.stays, *running.differences(ground, after)),
            sums=self.sums,
            pieces=tuple(pieces),
            env=tuple(changes),
            env_piece=env_piece,
            with_env=self.with_env,
            by_hand=tuple(self.by_hand),
            left=done.by_hand,
            withheld=done.withheld,
            conf=ground.conf.main if ground.conf is not None else "",
            groups=tuple(sorted(patience)),
            patience=60.0 + sum(patience.values()),
        )
        return msgspec.structs.replace(plan, commands=tuple(self.commands(plan)))

    def look(self) -> Site:
        return audit.look(self.path, apps=[self.app], kind="host", overrides=self.texts)

    @functools.cached_property
    def _size(self) -> Size:
        return self.ground.size()

    def size(self) -> Size:
        """The profile's sum, which is told once it is asked for."""
        self.sums = self._size.sums
        return self._size

    def found(self) -> list[tuple[str, str]]:
        """What was found and chosen, and why."""
        ground, app = self.ground, self.ground.app
        version = f" {'.'.join(map(str, app.product_version))}" if app.product_version else ""
        laravel = f", Laravel {'.'.join(map(str, app.laravel))}" if app.laravel_known else ""
        account, connection, memory = ground.account, ground.connection, ground.host.usable_memory
        return [
            ("app", f"{ground.folder}: {ground.profile.title}{version}{laravel} (profile {ground.profile_name})"),
            ("account", f"{account.user}, home {account.home}: {account.why}" if account else "it cannot be told"),
            ("PHP", f"{ground.php}{self.php_version()}: {ground.php_why}"),
            ("queue", f"connection {connection.name if connection else 'of the app, which is not known here'}"),
            ("host", f"{memory:.0f} MiB, {ground.host.cpus} processors" if memory else "its memory is not told"),
        ]

    def php_version(self) -> str:
        """The version behind that path, in brackets, where the path does not tell it and php.ini's folder does."""
        names = [php.name for php in self.ground.site.phps if php.name]
        return f" ({names[0]})" if len(names) == 1 and names[0] not in self.ground.php else ""

    def put(self, path: str, text: bytes, *notes: str) -> None:
        """Let a file hold this, and tell why."""
        self.texts[path] = text
        self.notes[path] += notes

    def held(self, path: str) -> bytes | None:
        return self.tree.read(path) if self.tree.stat(path) is not None else None

    def make(self, path: str, text: str, note: str) -> None:
        """Let a new file be there."""
        self.made.add(path)
        self.put(path, text.encode(), note)

    def free(self, pattern: str, name: str, taken: set[str]) -> tuple[str, str]:
        """Name and path, a "*" of the pattern being the name, where nothing is yet."""
        for number in range(1, 1000):
            chosen = name if number == 1 else f"{name}-{number}"
            path = pattern.replace("*", chosen)
            if chosen not in taken and self.tree.stat(path) is None:
                return chosen, path
        raise UsageError(f"a thousand files are called like {pattern.replace('*', name)}")

    def worker(self) -> None:
        """The profile's program, where nothing takes the app's jobs."""
        ground = self.ground
        there = running.takes_default(ground)
        for launch in there:
            if launch.live:
                self.stays.append(
                    f"{launch.name} ({launch.file}) takes its jobs, and is mended where rules object to it"
                )
            else:
                self.by_hand.append(f"{launch.name} ({launch.file}) would take its jobs, and nothing starts it")
        if there:
            return
        unsure = [
            one for one in ground.site.launches if one.command.kind in running.TAKES_JOBS and one.is_unknown("app")
        ]
        if unsure:
            reason = unsure[0].mark("app").reason
            self.by_hand.append(f"{unsure[0].name} ({unsure[0].file}) may take its jobs: {reason}; say so there")
        elif ground.no_worker or ground.account is None:
            self.by_hand.append(ground.no_worker or f"nothing takes its jobs, and {NO_ACCOUNT}")
        else:
            taken = {program.name for conf in ground.site.confs for program in conf.programs}
            name, path = self.free(ground.drop_in, ground.program_name, taken)
            self.make(
                path, program_text(ground, self.size(), name, path), f"{name}: takes its jobs, which nothing does"
            )
            self.programs.add(name)

    def scheduler(self) -> None:
        """The cron file, where nothing runs the scheduler."""
        ground = self.ground
        app = running.census_app(take_census(ground.site), ground.app)
        if app.schedulers:
            names = [one.name for one in running.of_app(ground.site, app, SCHEDULER_KINDS) if one.live]
            self.stays.append(f"{', '.join(names)} runs its scheduler, and is mended where rules object to it")
        elif app.is_unknown("schedulers"):
            self.stays.append(
                f"whether its scheduler runs is not known, so none is added: {app.mark('schedulers').reason}"
            )
        elif not ground.profile.scheduler:
            self.stays.append(f"{ground.profile.title} schedules no task, so no scheduler is added")
        elif ground.account is None:
            self.by_hand.append(f"nothing runs its scheduler, and {NO_ACCOUNT}")
        else:
            _, path = self.free("etc/cron.d/*", ground.cron_path.rpartition("/")[2], set())
            self.make(path, cron_text(ground, path), "runs its scheduled tasks every minute, which nothing does")

    def logrotate(self, verdict: Verdict) -> None:
        """The logrotate file, for logs that grow by what is set here and that nothing rotates."""
        ground = self.ground
        logs = [ground.inside(log) for log in ground.profile.logs]
        if ground.scheduler_log is not None and any(path.startswith("etc/cron.d/") for path in self.made):
            logs.append(ground.scheduler_log)
        logs += running.growing(ground, verdict)
        rotated = ground.site.host.rotated
        logs = [log for log in dict.fromkeys(logs) if not any(fnmatch.fnmatchcase(log, one) for one in rotated)]
        if not logs:
            return
        if not ground.rotates or ground.account is None:
            self.by_hand.append(f"no logrotate is seen here, so that {' and '.join(logs)} grow without an end")
            return
        _, path = self.free("etc/logrotate.d/*", ground.logrotate_path.rpartition("/")[2], set())
        self.make(path, logrotate_text(ground, logs), "rotates what nothing else does")

    def homes(self, verdict: Verdict) -> None:
        """HOME for the programs that a rule finds without it; only where the rule is content then."""
        lacking = {finding.subject for finding in verdict.findings if finding.rule == running.NEEDS_HOME}
        added = list(running.homes(self.ground, lacking, self.tree))
        texts = self.texts | {path: text for path, _, text, _ in added}
        site = audit.look(self.path, apps=[self.app], kind="host", overrides=texts)
        left = (
            {f.subject for f in audit.judge(site, self.rules).findings if f.rule == running.NEEDS_HOME}
            if added
            else set()
        )
        for path, program, text, note in running.homes(self.ground, lacking - left, self.tree) if left else added:
            self.put(path, text, note)
            self.programs.add(program)

    def env(self) -> tuple[list[Setting], Piece | None]:
        """The settings of .env that are not as they should be, and the file with them."""
        path = self.ground.app.env_file
        if path is not None and is_foreign(self.tree, path):
            self.by_hand.append(
                f"{path} is a symlink to a file of somebody else's, and is not followed: set it by hand"
            )
            return [], None
        changes, piece, by_hand = settings(self.ground, self.held(path) if path is not None else None)
        self.by_hand += by_hand
        if piece is not None and self.with_env:
            self.put(piece.path, piece.after, *piece.notes)
        return changes, piece

    def commands(self, plan: Plan) -> list[str]:
        """What is to be run once the files are there."""
        ground = self.ground
        user = f"sudo -u {ground.account.user} " if ground.account is not None else ""
        artisan = f"{user}{ground.php} {ground.inside('artisan')}"
        env = plan.env_piece is not None and plan.with_env
        told = []
        if ground.app.config_cached and plan.env:
            told.append(f"{artisan} config:clear   # bootstrap/cache/config.php hides .env")
        if plan.groups:
            base = f"supervisorctl -c /{plan.conf}" if plan.conf else "supervisorctl"
            told += [f"{base} reread", f"{base} update {' '.join(plan.groups)}"]
        elif env:
            told.append(f"{artisan} queue:restart   # workers read .env when they start")
        return told


def _note(change: Change) -> str:
    why = f"   unsafe: {'; '.join(change.unsafe)}" if change.unsafe else ""
    return f"{change.subject}: {change.told}   {', '.join(change.rules)}{why}"
