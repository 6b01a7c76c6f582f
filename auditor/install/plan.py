"""Planning: what was found, what is decided by it, each file and setting, and how the host would then be judged."""

from __future__ import annotations

import msgspec

from auditor import audit
from auditor.containers import advise
from auditor.dialects.conf import lex
from auditor.errors import CannotMend, UsageError
from auditor.facts.laravel import App
from auditor.facts.launch import Launch
from auditor.facts.site import Site
from auditor.generate import (
    Ground,
    Wishes,
    cron_text,
    logrotate_text,
    program_text,
    refuse_own_errors,
    schedulers_of,
    take_ground,
    workers_of,
)
from auditor.install.model import Change, Piece, Plan
from auditor.install.record import load_manifest
from auditor.install.settings import fault_of, same, with_settings
from auditor.judge.rulebook import Rulebook
from auditor.remedies.manifest import digest
from auditor.sources.dotenv import DotEnv, parse
from auditor.sources.survey import kind_of_tree
from auditor.sources.tree import Tree


def plan(
    path: str, app: str | None, rules: Rulebook, wishes: Wishes, *, with_env: bool = False, kind: str | None = None
) -> Plan:
    """What would set up one app; raises UsageError, Unreadable, CannotMend."""
    tree = Tree(path)
    if (kind or kind_of_tree(tree)) != "host":
        return _in_containers(path, app, rules, wishes, tree, "repository")
    folder = app if app is not None else _only_app(path)
    if _is_container(path, folder):
        return _in_containers(path, folder, rules, wishes, tree, "host")
    ground = take_ground(path, folder, wishes, may_set_connection=True)
    return _Installer(path, folder, rules, ground, tree, with_env=with_env).plan()


def _only_app(path: str) -> str:
    names = [one.name for one in audit.look(path, kind="host").apps]
    if len(names) != 1:
        told = f"there are {', '.join(names)}" if names else "none is seen"
        raise UsageError(f"which app to set up is not plain, {told}; name it with --app")
    return names[0]


def _is_container(path: str, app: str) -> bool:
    """Whether the app takes itself for an image's, on a host without supervisord."""
    site = audit.look(path, apps=[app], kind="host")
    ninja = site.apps[0].ninja
    return ninja is not None and ninja.is_docker and not any(conf.is_main for conf in site.confs)


def _in_containers(path: str, app: str | None, rules: Rulebook, wishes: Wishes, tree: Tree, kind: str) -> Plan:
    site = audit.look(path, apps=[app] if app is not None else [], kind=kind)
    name, told = advise(site, wishes)
    return Plan(
        root=tree.root,
        app=site.apps[0].name if site.apps else "",
        profile=name,
        containers=told,
        after=audit.judge(site, rules),
    )


class _Installer:
    def __init__(self, path: str, app: str, rules: Rulebook, ground: Ground, tree: Tree, *, with_env: bool) -> None:
        self.path = path
        self.app = app
        self.rules = rules
        self.ground = ground
        self.tree = tree
        self.with_env = with_env
        self.manifest = load_manifest(tree, ground.app.name)
        self.pieces: list[Piece] = []
        self.kept: list[str] = []
        self.by_hand: list[str] = []
        self.group = ground.program_name
        self.patience = 60.0

    def plan(self) -> Plan:
        ground = self.ground
        self.program()
        self.scheduler()
        if ground.logs:
            self.add(ground.logrotate_path, logrotate_text(ground), "rotates the logs that these settings make grow")
        elif ground.profile.logs:
            self.by_hand.append(
                f"no logrotate is seen here, so that {' and '.join(ground.profile.logs)} would grow for ever"
            )
        changes, env_piece = self.settings()
        if ground.conf is None:
            self.by_hand.append("no supervisord is seen on this host: install supervisor (apt-get install supervisor)")
        site = self.overlaid(env_piece)
        after = audit.judge(site, self.rules)
        refuse_own_errors(after.findings, {piece.path: piece for piece in self.pieces})
        plan = Plan(
            root=self.tree.root,
            app=ground.app.name,
            profile=ground.profile_name,
            found=tuple(self.found()),
            sums=ground.size.sums,
            pieces=tuple(self.pieces),
            env=tuple(changes),
            env_piece=env_piece,
            with_env=self.with_env,
            kept=tuple(self.kept),
            by_hand=tuple(self.by_hand),
            conf=ground.conf.main if ground.conf is not None else "",
            group=self.group,
            patience=self.patience,
            after=after,
        )
        return msgspec.structs.replace(plan, commands=tuple(self.commands(plan)))

    def overlaid(self, env_piece: Piece | None = None) -> Site:
        texts = {piece.path: piece.after for piece in self.pieces}
        if env_piece is not None and self.with_env:
            texts[env_piece.path] = env_piece.after
        return audit.look(self.path, apps=[self.app], kind="host", overrides=texts)

    def found(self) -> list[tuple[str, str]]:
        ground, app = self.ground, self.ground.app
        version = f" {'.'.join(map(str, app.product_version))}" if app.product_version else ""
        laravel = f", Laravel {'.'.join(map(str, app.laravel))}" if app.laravel_known else ""
        connection = (
            ground.connection.name if ground.connection is not None else "the app's default, which is not known"
        )
        memory = ground.site.host.usable_memory
        return [
            ("app", f"{ground.folder}: {ground.profile.title}{version}{laravel} (profile {ground.profile_name})"),
            ("account", f"{ground.account.user}, home {ground.account.home}: {ground.account.why}"),
            ("PHP", f"{ground.php}: {ground.php_why}"),
            ("queue", f"connection {connection}"),
            ("host", f"{memory:.0f} MiB, {ground.site.host.cpus} processors" if memory else "its memory is not told"),
        ]

    def add(self, path: str, text: str, told: str) -> None:
        self.pieces.append(Piece(path, self.held(path), text.encode(), told))

    def held(self, path: str) -> bytes | None:
        return self.tree.read(path) if self.tree.stat(path) is not None else None

    def is_ours(self, path: str) -> bool:
        """Whether the file holds what an earlier run wrote."""
        known, held = self.manifest.file(path) if self.manifest is not None else None, self.held(path)
        return known is not None and held is not None and digest(held) == known.sha256

    def is_free(self, path: str, text: str) -> bool:
        """Whether a new file may go there: nothing is there, or it is ours, or it already says the same."""
        held = self.held(path)
        return held is None or held == text.encode() or self.is_ours(path)

    def program(self) -> None:
        ground = self.ground
        running = [one for one in workers_of(ground.site, ground.app) if one.live]
        if not running:
            name, path, told = ground.program_name, ground.program_path, "the program that runs its workers"
            text = program_text(ground, name, path)
            if not self.is_free(path, text):
                self.by_hand.append(f"{path} is there and holds something else: move it, then run this again")
                return
            self.add(path, text, told)
            return
        if len(running) > 1:
            names = ", ".join(f"{one.name} ({one.file})" for one in running)
            self.by_hand.append(
                f"{len(running)} programs take this app's jobs: {names}; take all but one away, then run this again"
            )
            return
        old = running[0]
        why = self.why_not_in_place(old)
        if why:
            self.by_hand.append(f"{old.name} already takes this app's jobs, and {why}")
            return
        conf = next(conf for conf in ground.site.confs if conf.main == old.conf)
        program = next(program for program in conf.programs if program.name == old.name)
        self.group = program.group or old.name
        self.patience = max(program.stopwaitsecs, 10.0) + 60.0
        word = "is made anew in its own file" if not self.is_ours(old.file) else "the program that runs its workers"
        self.add(old.file, program_text(ground, old.name, old.file), f"[program:{old.name}]: {word}")

    def why_not_in_place(self, old: Launch) -> str:
        """Why a program cannot be made anew in its own file, as a clause; "" where it can."""
        if old.runner != "supervisor":
            return f"{old.runner} starts it ({old.file}): take it away there, then run this again"
        conf = next((conf for conf in self.ground.site.confs if conf.main == old.conf), None)
        section = f"program:{old.name}"
        for path in conf.files if conf is not None else (old.file,):
            names = {block.name for block in lex(self.tree.read(path).decode("utf-8", "replace")).blocks}
            if path == old.file and names != {section}:
                return f"{path} holds more than that program: move [{section}] into a file of its own, or take it out"
            if path != old.file and section in names:
                return f"its section stands in {path} as well as in {old.file}: take one of them out"
        return ""

    def scheduler(self) -> None:
        ground = self.ground
        running = [one for one in schedulers_of(ground.site, ground.app) if one.live]
        path = ground.cron_path
        if len(running) > 1:
            self.by_hand.append(
                f"{', '.join(one.name for one in running)} all run its scheduler: take all but one away"
            )
            return
        if running and running[0].file != path:
            old = running[0]
            if not self.is_ours(old.file):
                faults = self.faults(old)
                if not faults:
                    self.kept.append(f"{old.name} runs the scheduler")
                    return
                table = next((table for table in ground.site.tables if table.path == old.file), None)
                if table is None or table.kind != "drop-in" or len(table.lines) != 1 or table.name_ignored:
                    self.by_hand.append(
                        f"{old.name} runs the scheduler and is at fault ({', '.join(faults)}): see `queue-auditor fix`"
                    )
                    return
            path = old.file
        text = cron_text(ground, path)
        if not running and not self.is_free(path, text):
            self.by_hand.append(f"{path} is there and holds something else: move it, then run this again")
            return
        self.add(path, text, "runs the scheduled tasks every minute")

    def faults(self, scheduler: Launch) -> list[str]:
        """What stands against a scheduler that runs already, with the new program in place."""
        verdict = audit.judge(self.overlaid(), self.rules)
        return list(
            dict.fromkeys(
                finding.rule
                for finding in verdict.findings
                if finding.rule.startswith("scheduler/")
                and finding.severity != "note"
                and (finding.subject == scheduler.name or finding.file == scheduler.file)
            )
        )

    def settings(self) -> tuple[list[Change], Piece | None]:
        """The settings of .env that are not as they should be, and the file with them."""
        app = self.ground.app
        path = app.env_file
        data = self.held(path) if path is not None else None
        if path is None or data is None:
            lines = [Change(one.name, None, one.value, one.why).line for one in self.ground.profile.env]
            if lines:
                self.by_hand.append(f"the app has no .env here: give its environment {', '.join(lines)}")
            return [], None
        parsed = parse(data, path)
        fault = fault_of(parsed)
        if fault:
            self.by_hand.append(f"{path} {fault}: mend it, then run this again")
            return [], None
        changes = self.wanted(app, parsed)
        if not changes:
            return [], None
        try:
            after = with_settings(data, parsed, {change.name: change.wanted for change in changes})
        except CannotMend as problem:
            self.by_hand.append(
                f"{path} cannot be changed ({problem.reason}): write {', '.join(c.line for c in changes)}"
            )
            return changes, None
        return changes, Piece(path, data, after, "the app's settings")

    def wanted(self, app: App, parsed: DotEnv) -> list[Change]:
        values = parsed.values()
        found = []
        connection = self.ground.connection
        name = app.queue_env_name or "QUEUE_CONNECTION"
        if connection is not None:
            now = values.get(name)
            takes = (
                now if now is not None else (None if app.is_unknown("default_connection") else app.default_connection)
            )
            if takes is None or not same(takes, connection.name):
                if app.queue_env_name or app.is_unknown("queue_env_name"):
                    why = "jobs go where the worker takes them from"
                    found.append(Change(name, now, connection.name, why))
                else:
                    self.by_hand.append(
                        f"config/queue.php itself says “{takes}”: let it read QUEUE_CONNECTION, or say “{connection.name}”"
                    )
        for one in self.ground.profile.env:
            now = values.get(one.name)
            takes = now if now is not None else one.otherwise
            if takes is None or not same(takes, one.value):
                found.append(Change(one.name, now, one.value, one.why))
        return found

    def commands(self, plan: Plan) -> list[str]:
        ground = self.ground
        artisan = f"sudo -u {ground.account.user} {ground.php} {ground.folder.rstrip('/')}/artisan"
        changed = {piece.path for piece in plan.changed}
        program = next(
            (p.path for p in plan.pieces if p.path in changed and p.path.startswith(ground.drop_in.split("*")[0])), None
        )
        told = []
        env = plan.env_piece is not None and plan.env_piece.path in changed
        if ground.app.config_cached and (env or plan.env):
            told.append(f"{artisan} config:clear   # bootstrap/cache/config.php hides .env")
        if program is not None:
            told.append(f"supervisorctl reread && supervisorctl update {self.group}")
        elif env:
            told.append(f"{artisan} queue:restart   # workers read .env when they start")
        return told
