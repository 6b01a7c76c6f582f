"""Scores the audit against repositories that an expert has labelled: `python -m tests.corpus.score DIR`.

DIR holds one folder for each repository and `labels.yaml`, whose `repos` say of each folder (`dir`) what an expert
raises (`expect`), what must stay silent (`must_not_flag`), which notes hold by the letter (`info_mechanical`), and what
is a matter of taste (`tolerated`) or of the application's code (`needs_app_code`); the last two are not scored. A label
stands `at` "file#program", at a file, or at "repo". The audit runs as a user runs it, in its own process, on every
folder; a folder without labels is only timed, counted, and watched for crashes.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

PROJECT = pathlib.Path(__file__).resolve().parents[2]

RULES: Mapping[str, tuple[str, ...]] = {
    "autorestart-disabled": ("processes/autorestart",),
    "autorestart-unexpected": ("processes/autorestart",),
    "command-line-continuation": ("processes/command-line-continuation",),
    "conf-parse-error": ("supervisor/conf-parse-error",),
    "connection-mismatch": ("queue/connection-unknown", "queue/worker-on-idle-connection"),
    "cron-env-not-available": ("scheduler/cron-variable-undefined",),
    "cron-missing-user-field": ("scheduler/cron-user-field", "scheduler/cron-user"),
    "docker-grace-too-short": ("timeouts/container-grace-covers-stop",),
    "duplicate-option": ("supervisor/duplicate-option",),
    "duplicate-worker-definition": ("processes/duplicate-worker",),
    "env-var-undefined": ("supervisor/env-var-undefined",),
    "horizon-and-queue-work-mixed": ("queue/horizon-and-work-mixed",),
    "horizon-without-redis": ("queue/horizon-without-redis",),
    "invalid-option-value": ("processes/non-integer-option", "processes/placeholder-left", "supervisor/invalid-value"),
    "log-rotation-on-dev-stdout": ("supervisor/log-dev-stdout-rotates",),
    "missing-max-time": ("processes/no-recycling", "processes/no-recycling-before-8"),
    "numprocs-without-process-num": ("processes/numprocs-without-process-num",),
    "placeholder-left": ("processes/placeholder-left",),
    "program-without-command": ("supervisor/program-without-command",),
    "queue-listen-in-production": ("processes/listen-or-once",),
    "queue-not-served": ("queue/queue-not-served",),
    "queue-priority-order": ("queue/priority-order",),
    "redirect-stderr-with-stderr-logfile": ("supervisor/redirect-stderr-with-stderr-logfile",),
    "relative-artisan-without-directory": (
        "processes/relative-artisan-without-directory",
        "processes/relative-command",
    ),
    "retry-after-excessive": ("timeouts/retry-after-never",),
    "runs-as-root": ("processes/runs-as-root",),
    "scheduler-duplicate": ("scheduler/duplicate", "processes/duplicate-worker"),
    "scheduler-loop-drift": ("scheduler/loop-drifts",),
    "scheduler-missing": ("scheduler/missing", "scheduler/missing-in-deployment"),
    "scheduler-runs-as-root": (
        "scheduler/runs-as-other-user",
        "scheduler/not-files-owner",
        "scheduler/cron-user",
        "processes/runs-as-root",
    ),
    "shell-wrapper-without-exec": ("processes/wrapper-without-exec",),
    "startsecs-zero": ("processes/startsecs-zero-crash-loop",),
    "stopwaitsecs-too-short": (
        "timeouts/stopwaitsecs-covers-timeout",
        "timeouts/stopwaitsecs-equals-timeout",
        "timeouts/horizon-stopwaitsecs",
    ),
    "sync-driver": ("queue/sync-driver", "queue/worker-on-idle-connection", "queue/image-sets-sync"),
    "timeout-not-set": ("timeouts/timeout-not-written",),
    "timeout-zero": ("timeouts/timeout-unlimited", "timeouts/horizon-timeout-unlimited"),
    "timeout>=retry_after": ("timeouts/timeout-below-retry-after", "timeouts/horizon-timeout-below-retry-after"),
    "tries-unset": ("processes/tries-unset", "processes/tries-zero"),
    "unknown-option": ("supervisor/unknown-option",),
}
"""The labels' words -> our rules that say the same; none where no rule of ours does."""

SEVERITIES = {"info": "note"}
"""The labels' word -> ours, where they differ."""

SOUND_EXITS = (0, 1, 3)
"""Clean, findings, nothing to audit."""


class Place(NamedTuple):
    """Where a finding rests."""

    file: str
    line: int


class Found(NamedTuple):
    """One finding, as the audit reports it."""

    rule: str
    severity: str
    subject: str
    message: str
    places: tuple[Place, ...]

    @property
    def line(self) -> str:
        """For a reader: "error timeouts/x  worker  file:3  message"."""
        place = f"{self.places[0].file}:{self.places[0].line}" if self.places else "-"
        return f"{self.severity:7} {self.rule}  {self.subject}  {place}  {self.message}"


class Run(NamedTuple):
    """One audit of one folder."""

    found: tuple[Found, ...]
    skipped: tuple[Mapping[str, Any], ...]
    seconds: float
    crash: str
    """What went wrong, "" where nothing did."""


class Label(NamedTuple):
    """What an expert says of one place."""

    kind: str
    """One of "expect", "note" (info_mechanical) and "silent" (must_not_flag)."""
    at: str
    word: str
    why: str
    severities: frozenset[str]
    """Those that are right."""

    @property
    def rules(self) -> tuple[str, ...]:
        """Our rules that say the same."""
        return RULES[self.word]

    @property
    def line(self) -> str:
        """For a reader: "word at place: why"."""
        return f"{self.word} at {self.at}: {self.why}"


class Card(NamedTuple):
    """How one labelled folder fared."""

    met: list[tuple[Label, Found]]
    missed: list[Label]
    false: list[tuple[Label, Found]]
    unlabelled: list[Found]
    tolerated: list[Found]


def labels_of(repo: Mapping[str, Any]) -> list[Label]:
    """The labels of one entry of labels.yaml."""
    labels = []
    for entry in repo.get("expect") or ():
        words = [entry.get("severity", ""), *(entry.get("severity_ok") or ())]
        severities = frozenset(SEVERITIES.get(word, word) for word in words if word)
        labels.append(Label("expect", entry["at"], entry["id"], entry.get("why", ""), severities))
    for entry in repo.get("info_mechanical") or ():
        note = frozenset({"note"})
        labels += [Label("note", entry["at"], word, "holds by the letter", note) for word in entry["ids"]]
    for entry in repo.get("must_not_flag") or ():
        labels.append(Label("silent", entry["at"], entry["id"], entry.get("why", ""), frozenset()))
    return labels


def programs_in(text: str) -> dict[str, list[range]]:
    """Program name -> the lines, from 1, of each of its sections in a supervisor file."""
    heads = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.startswith("[")]
    ends = [number for number, _ in heads[1:]] + [text.count("\n") + 2]
    spans: dict[str, list[range]] = collections.defaultdict(list)
    for (number, line), end in zip(heads, ends, strict=True):
        if head := re.match(r"\[(?:program|fcgi-program|eventlistener):([^\]]+)\]", line):
            spans[head[1].strip()].append(range(number, end))
    return spans


class Folder:
    """A labelled folder: knows which lines belong to which program."""

    def __init__(self, path: pathlib.Path, labels: Iterable[Label] = ()) -> None:
        """The folder, and the labels that may contradict each other at one place."""
        self._path = path
        self._programs: dict[str, dict[str, list[range]]] = {}
        kinds: dict[tuple[str, str], set[str]] = collections.defaultdict(set)
        for label in labels:
            kinds[label.at, label.word].add("silent" if label.kind == "silent" else "raised")
        self._torn = {place for place, sides in kinds.items() if len(sides) > 1}

    def touches(self, found: Found, label: Label) -> bool:
        """Whether the finding is about what the label is about: its rule, its file, its program."""
        if found.rule not in label.rules:
            return False
        # One place both raised and silent: the label's reason begins with the name it is about ("heavy: 3600 s …").
        if (label.at, label.word) in self._torn and label.why.partition(":")[0] not in found.subject + found.message:
            return False
        if label.at == "repo":
            return True
        file, _, program = label.at.partition("#")
        named = re.search(rf"(?<![\w-]){re.escape(program)}(?:_\d+)?(?![\w-])", found.subject) is not None
        if not found.places:
            return bool(program) and named
        lines = [place.line for place in found.places if place.file == file]
        if not lines or not program or named:
            return bool(lines)
        spans = self._spans(file).get(program, [])
        return any(line in span for line in lines for span in spans)

    def _spans(self, file: str) -> dict[str, list[range]]:
        if file not in self._programs:
            path = self._path / file
            self._programs[file] = programs_in(path.read_text("utf-8", "replace")) if path.is_file() else {}
        return self._programs[file]


def compare(repo: Mapping[str, Any], found: Sequence[Found], path: pathlib.Path, groups: Sequence[str] = ()) -> Card:
    """Holds the findings of one folder against its labels, both restricted to `groups` where some are named."""
    every = labels_of(repo)
    folder = Folder(path, every)
    labels = [label for label in every if not groups or any(within(rule, groups) for rule in label.rules)]
    loose = {rule for word in repo.get("tolerated") or () for rule in RULES[word]}
    loose |= {rule for entry in repo.get("needs_app_code") or () for rule in RULES[entry["id"]]}
    card = Card([], [], [], [], [])
    raised: set[int] = set()
    for label in labels:
        if label.kind == "silent":
            continue
        hits = [(index, one) for index, one in enumerate(found) if folder.touches(one, label)]
        raised |= {index for index, _ in hits}
        if hits:
            # The one with a right severity stands for the label, where there are several.
            best = min((one for _, one in hits), key=lambda one: one.severity not in label.severities)
            card.met.append((label, best))
        else:
            card.missed.append(label)
    for index, one in enumerate(found):
        if index in raised or (groups and not within(one.rule, groups)):
            continue
        against = next((label for label in labels if label.kind == "silent" and folder.touches(one, label)), None)
        if against is not None and not (one.rule in loose and one.severity != "error"):
            card.false.append((against, one))
        elif one.rule in loose:
            card.tolerated.append(one)
        else:
            card.unlabelled.append(one)
    return card


def within(rule: str, groups: Sequence[str]) -> bool:
    """Whether a rule is one of these, or belongs to one of these groups."""
    return any(rule == group or rule.startswith(f"{group}/") for group in groups)


def audit(path: pathlib.Path, command: Sequence[str], limit: float) -> Run:
    """One audit, as a user runs it; what it could not do is the run's `crash`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QUEUE_AUDITOR_")}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(PROJECT), environment.get("PYTHONPATH", ""))))
    call = [*command, "audit", str(path), "--format", "json", "--allow-empty"]
    began = time.perf_counter()
    try:
        done = subprocess.run(call, capture_output=True, timeout=limit, env=environment, check=False)
    except subprocess.TimeoutExpired:
        return Run((), (), limit, f"still running after {limit:g} s")
    seconds = time.perf_counter() - began
    errors = done.stderr.decode("utf-8", "replace").strip()
    last = errors.splitlines()[-1] if errors else ""
    try:
        report = json.loads(done.stdout)
    except ValueError:
        return Run((), (), seconds, f"exit {done.returncode}, no JSON: {last}")
    crash = ""
    if done.returncode not in SOUND_EXITS or "Traceback (most recent call last)" in errors:
        crash = f"exit {done.returncode}: {last}"
    return Run(read_findings(report, path), tuple(report.get("skipped") or ()), seconds, crash)


def read_findings(report: Mapping[str, Any], path: pathlib.Path) -> tuple[Found, ...]:
    """The findings of a JSON report; places are relative to the audited folder."""

    def place(entry: Mapping[str, Any]) -> Place:
        file = str(entry.get("file") or "").removeprefix(f"{path}/").removeprefix("./")
        return Place(file, int(entry.get("line") or 0))

    return tuple(
        Found(
            entry["rule"],
            entry["severity"],
            str(entry.get("subject") or ""),
            str(entry.get("message") or ""),
            tuple(place(one) for one in entry.get("locations") or ()),
        )
        for entry in report.get("findings") or ()
    )


def ratio(part: int, whole: int) -> str:
    """A share as "87 %", or a dash where there is nothing to divide."""
    return f"{100 * part / whole:.0f} %" if whole else "-"


def print_card(name: str, card: Card, run: Run, verbose: bool) -> None:
    """One folder's misses, false alarms, odd severities and unlabelled findings, by name."""
    print(f"\n{name}")
    for label in card.missed:
        print(f"  {'missed' if label.kind == 'expect' else 'missed note'}  {label.line}")
        if not any((PROJECT / "rules" / f"{rule}.yaml").is_file() for rule in label.rules):
            print(f"      no rule of ours says this: {' or '.join(label.rules) or 'none is planned'}")
        for one in run.found:
            if one.rule in label.rules:
                print(f"      elsewhere: {one.line}")
        program = label.at.partition("#")[2]
        for skip in run.skipped:
            if skip.get("rule") in label.rules and program in str(skip.get("subject", "")):
                print(f"      skipped for {skip.get('subject')}: {skip.get('reason')}")
    for label, one in card.false:
        print(f"  FALSE   {one.line}\n      silent by label: {label.line}")
    for label, one in card.met:
        if one.severity not in label.severities:
            print(f"  severity  {one.line}\n      by label: {' or '.join(sorted(label.severities))}; {label.line}")
    for one in card.unlabelled:
        if verbose or one.severity != "note":
            print(f"  unlabelled  {one.line}")
    if verbose:
        for label, one in card.met:
            print(f"  met     {label.word}: {one.line}")
        for one in card.tolerated:
            print(f"  tolerated  {one.line}")


def print_totals(cards: Sequence[Card]) -> None:
    """Recall and precision for each rule, and over all."""
    rows: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for card in cards:
        for label, one in card.met:
            rows[one.rule][f"{label.kind} met"] += 1
        for label in card.missed:
            rows[label.rules[0] if label.rules else f"(no rule) {label.word}"][f"{label.kind} missed"] += 1
        for _, one in card.false:
            rows[one.rule]["false"] += 1
        for one in card.unlabelled:
            rows[one.rule]["unlabelled notes" if one.severity == "note" else "unlabelled"] += 1
    head = ("rule", "recall", "", "notes", "", "false", "unlabelled", "precision", "strict")
    print(f"\n{head[0]:52} {head[1]:>7} {head[2]:>6} {head[3]:>7} {head[4]:>6} {head[5]:>6} {head[6]:>11} "
          f"{head[7]:>9} {head[8]:>7}")  # fmt: skip
    total: collections.Counter[str] = collections.Counter()
    for rule in [*sorted(rows), "all"]:
        row = rows[rule] if rule != "all" else total
        total.update(row if rule != "all" else {})
        expected, noted = (row[f"{kind} met"] + row[f"{kind} missed"] for kind in ("expect", "note"))
        right = row["expect met"] + row["note met"]
        seen = f"{row['unlabelled']}+{row['unlabelled notes']}"
        print(
            f"{rule:52} {row['expect met']:>3}/{expected:<3} {ratio(row['expect met'], expected):>6} "
            f"{row['note met']:>3}/{noted:<3} {ratio(row['note met'], noted):>6} {row['false']:>6} {seen:>11} "
            f"{ratio(right, right + row['false']):>9} {ratio(right, right + row['false'] + row['unlabelled']):>7}"
        )
    odd = sum(one.severity not in label.severities for card in cards for label, one in card.met)
    print(
        "recall: labels of `expect` that a finding meets; notes: those of `info_mechanical`, likewise; false: findings "
        "that `must_not_flag` forbids;\nunlabelled: warnings and errors + notes that no label mentions; strict: "
        f"unlabelled warnings and errors counted as false.\n{odd} findings met a label with another severity."
    )


def print_others(runs: Mapping[str, Run], groups: Sequence[str], verbose: bool) -> None:
    """What was found where nothing is labelled: counts, or every finding."""
    counts: collections.Counter[str] = collections.Counter()
    for name, run in runs.items():
        found = [one for one in run.found if not groups or within(one.rule, groups)]
        counts.update(f"{one.severity:7} {one.rule}" for one in found)
        if verbose and found:
            print(f"\n{name} (no labels)")
            for one in found:
                print(f"  {one.line}")
    print(f"\n{len(runs)} folders without labels: {sum(counts.values())} findings")
    for rule, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        print(f"  {count:4}  {rule}")


def print_runs(runs: Mapping[str, Run]) -> None:
    """Times and crashes over every folder."""
    times = sorted(run.seconds for run in runs.values())
    slow = sorted(runs, key=lambda name: -runs[name].seconds)[:5]
    print(f"\n{len(times)} audits: median {times[len(times) // 2]:.3f} s, slowest:")
    for name in slow:
        print(f"  {runs[name].seconds:.3f} s  {name}")
    crashed = {name: run.crash for name, run in runs.items() if run.crash}
    print(f"{len(crashed)} crashes")
    for name, crash in crashed.items():
        print(f"  {name}: {crash}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the score; 1 where an audit crashed, else 0."""
    parser = argparse.ArgumentParser(description="Scores the audit against labelled repositories.")
    parser.add_argument("folder", type=pathlib.Path, help="holds labels.yaml and one folder for each repository")
    parser.add_argument("--repository", metavar="ID", help="this one alone, by its id or its folder's name")
    parser.add_argument("--rules", default="", help="groups or ids, separated by commas: score these alone")
    parser.add_argument("--limit", type=float, default=60, help="seconds that one audit may take")
    parser.add_argument("--verbose", action="store_true", help="every finding, notes and unlabelled folders too")
    options = parser.parse_args(arguments)
    groups = [group.strip() for group in options.rules.split(",") if group.strip()]

    from ruamel.yaml import YAML

    # "base" leaves every scalar text: an id of 008 stays three characters.
    labels = YAML(typ="base").load(options.folder / "labels.yaml")
    repos = {repo["dir"]: repo for repo in labels["repos"]}
    names = sorted(entry.name for entry in options.folder.iterdir() if entry.is_dir())
    if options.repository:
        wanted = options.repository
        ids = {name: {name, name.partition("_")[0], str(repos.get(name, {}).get("id", ""))} for name in names}
        names = [name for name in names if wanted in ids[name]]
    if not names:
        parser.error("no such repository")

    runs = {name: audit(options.folder / name, (sys.executable, "-m", "auditor"), options.limit) for name in names}
    cards = {
        name: compare(repos[name], runs[name].found, options.folder / name, groups) for name in names if name in repos
    }
    for name, card in cards.items():
        print_card(name, card, runs[name], options.verbose)
    if cards:
        print_totals(list(cards.values()))
    if others := {name: run for name, run in runs.items() if name not in repos}:
        print_others(others, groups, options.verbose)
    print_runs(runs)
    return 1 if any(run.crash for run in runs.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
