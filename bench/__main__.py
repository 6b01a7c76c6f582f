"""`python bench`: start-up beside bare Python, program files beside supervisor's own parse, a repository and a log beside grep.

Every figure is a ratio of two medians taken in turn in one run, of the processor's time of whole processes (user and
system, all threads): it holds on a busy machine as on a quiet one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from logs import logs
from measure import in_turn, taken

ROOT = Path(__file__).resolve().parents[1]
AUDITOR = [str(Path(sys.executable).with_name("queue-auditor"))]
HOST = str(ROOT / "examples" / "horizon" / "host")
BUDGET = (
    ("--version", [*AUDITOR, "--version"], 1.2),
    ("--help", [*AUDITOR, "--help"], 5.0),
    ("small offline audit", [*AUDITOR, "audit", HOST], 9.0),
    ("with site rules and colour", [*AUDITOR, "audit", HOST, "--color", "--rules", "RULES"], 13.0),
)
"""What is started, how, and how many times a bare `python -c pass` it may take."""
ROUNDS = 11
SIZES = (1, 100, 1000, 10_000)
SUPERVISOR_STOPS = 300.0
"""Seconds of the clock after which supervisor's own parse is ended: its loop is quadratic."""
PROGRAM = """[program:worker{number}]
command=php /var/www/app/artisan queue:work redis --queue=q{number} --sleep=3 --tries=3 --timeout=60
process_name=%(program_name)s_%(process_num)02d
directory=/tmp
numprocs=2
autostart=true
autorestart=true
startsecs=1
startretries=3
stopwaitsecs=70
redirect_stderr=true
stdout_logfile=/tmp/worker{number}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=5
"""
MAIN = "[supervisord]\nlogfile=/tmp/supervisord.log\n[include]\nfiles={folder}/etc/supervisor/conf.d/*.conf\n"
ORACLE = """
import sys
from supervisor.options import ServerOptions
options = ServerOptions()
sys.argv[1:] = ["-c", sys.argv[1]]
options.realize()
print(sum(len(group.process_configs) for group in options.process_group_configs))
"""
"""What supervisord itself does before it starts anything: its options class, imported and given the same files."""
CONFS = 500
GREP = ["git", "grep", "-lE", r"artisan|supervisord|\[program:"]
GREP_BUDGET = 3.0
METHOD = """    public function method{number}(Request $request): Response
    {{
        return response()->json(['data' => $this->service->find($request->input('id'))]);
    }}
"""


def start_up(folder: Path) -> None:
    """Each command against bare Python, one after the other in every round."""
    rules = folder / "rules" / "site"
    rules.mkdir(parents=True)
    text = (ROOT / "rules" / "timeouts" / "timeout-unlimited.yaml").read_text(encoding="utf-8")
    (rules / "no-limit.yaml").write_text(text, encoding="utf-8")
    commands = {
        name: [str(rules.parent) if word == "RULES" else word for word in command] for name, command, _ in BUDGET
    }
    found = in_turn({"bare": [sys.executable, "-c", "pass"], **commands}, ROUNDS)
    print("start-up, as multiples of `python -c pass`")
    for name, _, budget in BUDGET:
        ratio = found[name].seconds / found["bare"].seconds
        print(f"  {name:<28} {ratio:5.1f}   budget {budget:4.1f}   {'kept' if ratio <= budget else 'OVER'}")


def scale(folder: Path) -> None:
    """Whole processes: our audit of N program files, and supervisor's own parse of the same files."""
    print(
        "\nprogram files audited, beside supervisor's own parse of the same files (each a process of its own, imports included)"
    )
    print(f"  {'files':>7} {'audit':>9} {'per file':>10} {'memory':>9} {'supervisor':>11} {'audit / supervisor':>19}")
    for size in SIZES:
        root = folder / f"host{size}"
        conf = root / "etc" / "supervisor" / "conf.d"
        conf.mkdir(parents=True)
        for number in range(size):
            (conf / f"w{number:05d}.conf").write_text(PROGRAM.format(number=number), encoding="utf-8")
        main = root / "etc" / "supervisor" / "supervisord.conf"
        main.write_text(MAIN.format(folder=""), encoding="utf-8")
        theirs = root / "supervisord.conf"
        theirs.write_text(MAIN.format(folder=root), encoding="utf-8")
        commands = {
            "ours": [*AUDITOR, "audit", str(root), "--as", "host", "--format", "json"],
            "theirs": [sys.executable, "-c", ORACLE, str(theirs)],
        }
        found = in_turn(commands, ROUNDS if size <= 100 else 3 if size <= 1000 else 1, limit=SUPERVISOR_STOPS)
        mine, other = found["ours"], found["theirs"]
        shown = f"{other.seconds:10.2f}s" if other is not None else f"  >{SUPERVISOR_STOPS:6.0f}s"
        seconds = other.seconds if other is not None else SUPERVISOR_STOPS
        ratio = f"{'' if other is not None else '< '}{mine.seconds / seconds:.3f}"
        each = mine.seconds / size * 1000
        print(f"  {size:>7,} {mine.seconds:8.2f}s {each:8.2f}ms {mine.mebibytes:6} MiB {shown:>11} {ratio:>19}")


def repository(folder: Path) -> None:
    """A repository of 10,000 files, 500 of them supervisor configurations, beside git's own search of it; and its parts."""
    parts: dict[str, Callable[[Path], None]] = {
        "nothing but its start": lambda _: None,
        f"{CONFS} configurations": configurations,
        "the other 9,500 files": application,
    }
    commands = {}
    for name, make in parts.items():
        root = folder / name.replace(" ", "-")
        root.mkdir()
        (root / ".git").mkdir()
        make(root)
        commands[name] = [*AUDITOR, "audit", str(root), "--format", "json", "--allow-empty"]
    whole = folder / "repository"
    whole.mkdir()
    application(whole)
    configurations(whole)
    for words in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *words], cwd=whole, check=True, stdout=subprocess.DEVNULL)
    commands["all of it"] = [*AUDITOR, "audit", str(whole), "--format", "json"]
    found = in_turn({"git grep": GREP, **commands}, ROUNDS // 2, folder=str(whole))
    floor = found["git grep"].seconds
    print(
        f"\na repository of 10,000 files, {CONFS} of them configurations, as multiples of `{' '.join(GREP[:3])} …` over it"
    )
    for name in commands:
        one = found[name]
        kept = (
            ""
            if name != "all of it"
            else f"   budget {GREP_BUDGET}   {'kept' if one.seconds <= GREP_BUDGET * floor else 'OVER'}"
        )
        print(f"  {name:<28} {one.seconds / floor:5.1f}   {one.seconds:5.2f}s {one.mebibytes:5} MiB{kept}")


def configurations(root: Path) -> None:
    """Five hundred program files, as a team with many queues might keep them."""
    folder = root / "deploy" / "supervisor"
    folder.mkdir(parents=True)
    for number in range(CONFS):
        (folder / f"worker{number:03d}.conf").write_text(PROGRAM.format(number=number), encoding="utf-8")


def application(root: Path) -> None:
    """A Laravel app of 9,500 files: classes, pages, documents, scripts and YAML."""
    code = "".join(METHOD.format(number=number) for number in range(16))
    kinds = {
        "app/Module{group}/Class{number}.php": (
            8600,
            "<?php\n\nnamespace App;\n\nclass Class{number}\n{{\n"
            + code.replace("{", "{{").replace("}", "}}")
            + "}}\n",
        ),
        "resources/js/page{number}.vue": (400, code.replace("{", "{{").replace("}", "}}")),
        "docs/page{number}.md": (300, "A page about one thing.\n" * 60),
        "deploy/values{number}.yaml": (100, "replicas: 2\nimage: app\n"),
        "bin/tool{number}.sh": (98, "#!/bin/sh\nset -e\necho done\n"),
    }
    for pattern, (count, text) in kinds.items():
        for number in range(count):
            path = root / pattern.format(number=number, group=number // 50)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(
                text.format(number=number) if pattern.endswith((".php", ".vue")) else text, encoding="utf-8"
            )
    (root / "artisan").write_text("#!/usr/bin/env php\n<?php\n", encoding="utf-8")
    (root / "composer.json").write_text('{"require": {"laravel/framework": "^11.0"}}\n', encoding="utf-8")


def main() -> None:
    """Run all four."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installation has its bytecode, and so do we
    for _ in range(2):  # bytecode and the compiled rules are there from the third start on
        taken([*AUDITOR, "audit", HOST])
    with tempfile.TemporaryDirectory() as folder:
        start_up(Path(folder))
        scale(Path(folder))
        repository(Path(folder))
        logs(Path(folder), ROUNDS // 2)


if __name__ == "__main__":
    main()
