"""`python bench [start-up] [scale] [repository] [logs] [live]`: start-up beside bare Python, program files beside supervisor's own
parse, a repository and a log beside grep, and live audits of queues of millions beside empty ones.

Every figure is a ratio of two medians taken in turn in one run; but for live audits, of the processor's time of whole
processes (user and system, all threads): it holds on a busy machine as on a quiet one.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from logs import logs
from measure import in_turn, taken
from repository import repository

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


def live(folder: Path) -> None:
    """On servers like those of the tests."""
    sys.path.append(str(ROOT))
    from live import live as run

    run(folder)


def main() -> None:
    """Run those that are named, or all."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installation has its bytecode, and so do we
    for _ in range(2):  # bytecode and the compiled rules are there from the third start on
        taken([*AUDITOR, "audit", HOST])
    parts: dict[str, Callable[[Path], None]] = {
        "start-up": start_up,
        "scale": scale,
        "repository": lambda folder: repository(folder, AUDITOR, PROGRAM, ROUNDS // 2),
        "logs": lambda folder: logs(folder, ROUNDS // 2),
        "live": live,
    }
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[1:] or parts:
            parts[name](Path(folder))


if __name__ == "__main__":
    main()
