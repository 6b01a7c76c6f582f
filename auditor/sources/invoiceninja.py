"""What an InvoiceNinja's own files say: its settings, its bank sync's schedule, which generation of that sync it has.

Nothing of it is run, and no key is kept: only which of the bank feeds' keys are set, and whether APP_KEY is public.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from auditor.facts.invoiceninja import DAY, Ninja
from auditor.facts.origin import Mark, Version, declared, origin, unknown
from auditor.sources.app_config import Config, Found
from auditor.sources.app_env import Environment
from auditor.sources.tree import Tree

if TYPE_CHECKING:
    from tree_sitter import Node

Read = Callable[[str], bytes | None]

_SAMPLE_KEY = "4ff9954aec8ec26377b73e2709344583e0958364af5c9e2d3a89e24993673420"
"""SHA-256 of the APP_KEY that .env.example and the images have shipped with."""
BANK_KEYS = {"secret_id": "NORDIGEN_SECRET_ID", "secret_key": "NORDIGEN_SECRET_KEY"}
"""The bank feeds' keys in `ninja.nordigen`, and their names in .env."""
_PAYMENT_KEYS = ("GOCARDLESS_CLIENT_ID", "GOCARDLESS_CLIENT_SECRET")
_SYNC = "BankTransactionSync"
_SCHEDULES = ("app/Console/Kernel.php", "routes/console.php", "bootstrap/app.php")
_SYNC_CODE = ("app/Jobs/Bank/ProcessBankTransactionsNordigen.php", "app/Helpers/Bank/Nordigen/Nordigen.php")
_GENERATIONS: tuple[tuple[str, bytes], ...] = (
    ("F", b"nordigen:wake"),
    ("E", b"requisition_id"),
    ("D", b"is not ready (status="),
    ("C", b"Rate Limit hit for account"),
    ("B", b"getAccount() failed"),
)
"""Words of the code that came with a generation, newest first."""
_MADE_IN = (b"Schema::create('cache'", b'Schema::create("cache"', b"CREATE TABLE `cache`")
_MAX_MIGRATIONS = 1_000


def read_ninja(
    tree: Tree,
    base: str,
    read: Read,
    env: Environment,
    config: Config,
    version: Version,
    default_connection: str | None,
) -> Ninja:
    """The InvoiceNinja whose folder is `base` (with its slash); `default_connection` is None where it is not known."""
    return _Reader(tree, base, read, env, config).ninja(version, default_connection)


class _Reader:
    def __init__(self, tree: Tree, base: str, read: Read, env: Environment, config: Config) -> None:
        self.tree = tree
        self.base = base
        self.read = read
        self.env = env
        self.config = config
        self.marks: dict[str, Mark] = {"name": declared(origin(base + "config/ninja.php"))}
        self.values: dict[str, Any] = {}

    def ninja(self, version: Version, default_connection: str | None) -> Ninja:
        self.text("environment", "ninja", "environment")
        self.switch("is_docker", "ninja", "is_docker")
        self.switch("internal_queue_enabled", "ninja", "internal_queue_enabled")
        self.switch("expanded_logging", "ninja", "expanded_logging")
        self.switch("webcron", "ninja", "webcron_secret")
        self.text("timezone", "app", "timezone")
        self.pdfs()
        self.databases()
        self.bank_keys()
        self.app_key()
        self.cache()
        self.schedule()
        self.generation(version)
        if default_connection is None:
            self.marks["default_connection"] = unknown("its default connection is not known")
        if version:
            self.marks["version"] = declared(origin(self.base + "VERSION.txt"))
        else:
            self.marks["version"] = unknown("its VERSION.txt is not here")
        return Ninja(
            marks=self.marks,
            name=self.base.rstrip("/") or ".",
            version=version,
            default_connection=default_connection or "",
            **self.values,
        )

    def get(self, *path: str) -> Found:
        if not self.config.has(path[0]):
            return Found(None, False, False, unknown(f"its config/{path[0]}.php is not here"), "")
        return self.config.get(*path)

    def text(self, field: str, *path: str) -> None:
        found = self.get(*path)
        if not found.known:
            self.marks[field] = found.mark
        elif isinstance(found.value, str) and found.value:
            self.values[field] = found.value
            self.marks[field] = found.mark

    def switch(self, field: str, *path: str) -> None:
        """A setting that PHP asks for being true."""
        found = self.get(*path)
        if not found.known:
            self.marks[field] = found.mark
        elif found.written:
            self.values[field] = _true(found.value)
            self.marks[field] = found.mark

    def pdfs(self) -> None:
        """Who makes its PDFs: `pdf_generator`, before which the vendor's service and PhantomJS have switches of their own."""
        self.text("pdf_generator", "ninja", "pdf_generator")
        for key, name in (
            ("invoiceninja_hosted_pdf_generation", "hosted_ninja"),
            ("phantomjs_pdf_generation", "phantom"),
        ):
            found = self.get("ninja", key)
            if not found.known:
                self.marks["pdf_generator"] = found.mark
            elif _true(found.value):
                self.values["pdf_generator"], self.marks["pdf_generator"] = name, found.mark

    def databases(self) -> None:
        self.switch("multi_db", "ninja", "db", "multi_db_enabled")
        same = True
        for key in ("host", "port", "unix_socket", "database", "url"):
            one, two = (self.get("database", "connections", f"db-ninja-0{n}", key) for n in (1, 2))
            if not one.known or not two.known:
                self.marks["databases_are_one"] = unknown("its two databases are not known", one.mark.origin)
                return
            same = same and one.value == two.value
        written = self.get("database", "connections", "db-ninja-01").written
        self.values["databases_are_one"] = same and written

    def bank_keys(self) -> None:
        found_set: list[str] = []
        missing: list[str] = []
        for key, name in BANK_KEYS.items():
            found = self.get("ninja", "nordigen", key)
            if not found.known:
                self.marks["keys_set"] = self.marks["keys_missing"] = found.mark
                return
            if found.mark.origin is not None:
                self.marks["keys_set"] = self.marks["keys_missing"] = found.mark
            (found_set if _true(found.value) else missing).append(name)
        self.values["keys_set"], self.values["keys_missing"] = tuple(found_set), tuple(missing)
        if self.env.example:
            self.marks["payment_keys"] = unknown("only an example of its .env is here")
            return
        given = [name for name in _PAYMENT_KEYS if self.env.sets(name) and _true(self.env.lookup(name))]
        if given:
            self.values["payment_keys"] = tuple(given)
            place = self.env.place_of(given[0])
            self.marks["payment_keys"] = declared(origin(place.file, place.line, given[0]) if place else None)

    def app_key(self) -> None:
        found = self.get("app", "key")
        if not found.known or self.env.example:
            reason = found.mark.reason or "only an example of its .env is here"
            self.marks["app_key_is_sample"] = unknown(reason)
        elif isinstance(found.value, str):
            digest = hashlib.sha256(found.value.encode("utf-8", "surrogateescape")).hexdigest()
            self.values["app_key_is_sample"] = digest == _SAMPLE_KEY
            self.marks["app_key_is_sample"] = found.mark

    def cache(self) -> None:
        store = self.get("cache", "default")
        if not store.known:
            self.marks["cache_in_database"] = self.marks["ignored_cache_store"] = store.mark
            return
        driver = self.get("cache", "stores", str(store.value), "driver")
        if driver.known:
            self.values["cache_in_database"] = driver.value == "database"
            self.marks["cache_in_database"] = store.mark
        else:
            self.marks["cache_in_database"] = driver.mark
        wanted = self.env.lookup("CACHE_STORE") if self.env.sets("CACHE_STORE") else None
        # Where CACHE_DRIVER is not set as well, rule queue/env-name-retired tells it.
        both = store.env_name == "CACHE_DRIVER" and self.env.sets("CACHE_DRIVER") and not self.env.example
        if both and isinstance(wanted, str) and wanted != store.value:
            self.values["ignored_cache_store"] = wanted
            self.marks["ignored_cache_store"] = declared(self.env.place_of("CACHE_STORE"))
        if self.values.get("cache_in_database"):
            self.cache_table()

    def cache_table(self) -> None:
        folder = f"{self.base}database"
        if not self.tree.is_dir(f"{folder}/migrations"):
            self.marks["cache_table_made"] = unknown("its migrations are not here")
            return
        paths = [*self.tree.glob(f"{folder}/schema/*.sql"), *self.tree.glob(f"{folder}/migrations/*cache*.php")]
        for path in paths[:_MAX_MIGRATIONS]:
            data = self.read(path.removeprefix(self.base))
            if data is None:
                self.marks["cache_table_made"] = unknown(f"{path} cannot be read")
            elif any(words in data for words in _MADE_IN):
                self.values["cache_table_made"] = True
                self.marks["cache_table_made"] = declared(origin(path))
                return

    def schedule(self) -> None:
        seen = False
        for path in _SCHEDULES:
            data = self.read(path)
            if data is None or b"chedule" not in data:
                continue
            seen = True
            for task in tasks(data):
                if task.mentions("queue:prune-failed"):
                    self.values["prunes_failed_jobs"] = True
                elif task.mentions(_SYNC):
                    self.sync(path, data, task)
        if not seen:
            reason = unknown("its schedule is not here")
            for field in ("has_bank_sync", "sync_schedule", "syncs_per_day", "sync_gap", "prunes_failed_jobs"):
                self.marks[field] = reason
        elif "sync_schedule" not in self.values:
            self.values["has_bank_sync"] = False

    def sync(self, path: str, data: bytes, task: Task) -> None:
        text = data.split(b"\n")[task.line - 1].decode("utf-8", "replace").strip()
        place = origin(self.base + path, task.line, text)
        twice = "sync_schedule" in self.values
        told = ", ".join(f"{call.name}({', '.join(call.arguments)})" for call in task.calls if call.name in _TIMES)
        self.values["sync_schedule"] = told or "every minute"
        runs = None if twice else runs_of(task)
        if runs is None:
            reason = unknown("when its schedule runs the bank sync is not plain to see", place)
            self.marks["syncs_per_day"] = self.marks["sync_gap"] = reason
            return
        self.values["syncs_per_day"], self.values["sync_gap"] = runs
        for field in ("sync_schedule", "syncs_per_day", "sync_gap"):
            self.marks[field] = declared(place)

    def generation(self, version: Version) -> None:
        code = [(path, data) for path in _SYNC_CODE if (data := self.read(path)) is not None]
        if code:
            for name, words in _GENERATIONS:
                for path, data in code:
                    if words in data:
                        self.values["generation"] = name
                        self.marks["generation"] = declared(origin(self.base + path))
                        return
            self.values["generation"] = "A"
        elif (5, 9) <= version < (5, 10, 51):
            self.values["generation"] = "B"
            self.marks["generation"] = declared(origin(self.base + "VERSION.txt"))
        else:
            self.marks["generation"] = unknown("the code of its bank sync is not here")


def _true(value: object) -> bool:
    """What PHP takes for true, of what a setting can hold."""
    return value not in (None, False, 0, 0.0, "", "0") if isinstance(value, str | int | float | bool | None) else True


class Call(NamedTuple):
    """One call of a chain."""

    name: str
    """The method."""
    arguments: tuple[str, ...]
    """Its arguments as they are written."""


class Task(NamedTuple):
    """One scheduled task: `$schedule->job(new X)->daily()`."""

    line: int
    """Where it begins, from 1."""
    calls: tuple[Call, ...]
    """The calls of its chain, in order."""

    def mentions(self, text: str) -> bool:
        """Whether what is scheduled holds these words."""
        return any(text in argument for call in self.calls[:1] for argument in call.arguments)


_CALLS = ("member_call_expression", "nullsafe_member_call_expression", "scoped_call_expression")
MAX_NODES = 200_000
"""No more of one file is walked."""


def tasks(data: bytes) -> Iterator[Task]:
    """Every task that a file schedules, by its syntax tree."""
    from auditor.sources.php.evaluator import _parse

    pending = [_parse(data)]
    inner: set[int] = set()
    budget = MAX_NODES
    while pending and budget:
        node = pending.pop()
        budget -= 1
        if node.type in _CALLS and node.id not in inner and (task := _task(node, inner)) is not None:
            yield task
        pending.extend(reversed(node.children))


def _task(outermost: Node, inner: set[int]) -> Task | None:
    """The chain that ends in this call, where it begins at `$schedule` or at the Schedule facade."""
    calls: list[Call] = []
    node: Node | None = outermost
    while node is not None and node.type in _CALLS:
        inner.add(node.id)
        name, arguments = node.child_by_field_name("name"), node.child_by_field_name("arguments")
        given = arguments.named_children if arguments is not None else []
        calls.append(Call(_text(name), tuple(_text(one) for one in given if one.type != "comment")))
        node = node.child_by_field_name("object") or node.child_by_field_name("scope")
    words = _text(node)
    if words != "$schedule" and words.rpartition("\\")[2] != "Schedule":
        return None
    return Task(outermost.start_point[0] + 1, tuple(reversed(calls)))


def _text(node: Node | None) -> str:
    return (node.text or b"").decode("utf-8", "replace") if node is not None else ""


_TIMES: Mapping[str, str] = {
    "everyMinute": "* * * * *",
    "everyTwoMinutes": "*/2 * * * *",
    "everyThreeMinutes": "*/3 * * * *",
    "everyFourMinutes": "*/4 * * * *",
    "everyFiveMinutes": "*/5 * * * *",
    "everyTenMinutes": "*/10 * * * *",
    "everyFifteenMinutes": "*/15 * * * *",
    "everyThirtyMinutes": "*/30 * * * *",
    "hourly": "0 * * * *",
    "hourlyAt": "{0} * * * *",
    "everyOddHour": "{0} 1-23/2 * * *",
    "everyTwoHours": "{0} */2 * * *",
    "everyThreeHours": "{0} */3 * * *",
    "everyFourHours": "{0} */4 * * *",
    "everySixHours": "{0} */6 * * *",
    "daily": "0 0 * * *",
    "dailyAt": "{1} {0} * * *",
    "at": "{1} {0} * * *",
    "twiceDaily": "0 {0},{1} * * *",
    "twiceDailyAt": "{2} {0},{1} * * *",
    "weekly": "0 0 * * 0",
    "monthly": "0 0 1 * *",
    "cron": "{0}",
}
"""A frequency of Laravel's scheduler to the cron expression it sets (Console/Scheduling/ManagesFrequencies)."""
_DEFAULTS: Mapping[str, tuple[int, ...]] = {"twiceDaily": (1, 13), "twiceDailyAt": (1, 13, 0)}
_HARMLESS = frozenset(
    """job command call exec name description withoutOverlapping onOneServer runInBackground evenInMaintenanceMode
    before after then onSuccess onFailure thenPing pingBefore sendOutputTo appendOutputTo emailOutputTo
    emailOutputOnFailure storeOutput""".split()
)
"""Calls that leave the times as they are."""


def runs_of(task: Task) -> tuple[int, float] | None:
    """How often a task runs a day, and the longest time between two runs in seconds; None where that is not plain."""
    from auditor.dialects.crontab import Job, parse

    expression = "* * * * *"
    for call in task.calls:
        if call.name in _HARMLESS:
            continue
        made = _expression(call)
        if made is None:
            return None
        expression = made
    lines = parse(f"{expression} x\n".encode(), False)
    found = next((line for line in lines if isinstance(line, Job)), None)
    if found is None:
        return None
    gap = found.schedule.largest_gap * 60
    return (found.schedule.runs_per_day, gap) if gap <= DAY * 366 else None


def _expression(call: Call) -> str | None:
    pattern = _TIMES.get(call.name)
    if pattern is None:
        return None
    words = [argument.strip("\"'") for argument in call.arguments]
    if call.name == "cron":
        return words[0] if len(words) == 1 and call.arguments[0][:1] in "\"'" and "\n" not in words[0] else None
    if call.name in ("at", "dailyAt"):
        words = words[0].split(":") if len(words) == 1 else []
        words = words if len(words) == 2 else [*words, "0"]
    numbers = [int(word) for word in words if word.isascii() and word.isdecimal() and len(word) < 3]
    if len(numbers) != len(words):
        return None
    numbers += _DEFAULTS.get(call.name, (0,))[len(numbers) :]
    try:
        return pattern.format(*numbers)
    except IndexError:
        return None
