"""`python bench [start-up] [scale] [live]`: start-up as multiples of bare Python, 1 to 10,000 program files beside supervisor's
own parse of them, and live audits of queues of millions beside empty ones.

Every figure is a ratio of two medians taken in turn in one run, so it holds on a busy machine as on a quiet one.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

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
SUPERVISOR_STOPS = 120.0
"""Seconds after which supervisor's own parse is ended: its loop is quadratic."""
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


def seconds(command: list[str], limit: float | None = None) -> float | None:
    """How long a whole process takes, or None where it did not end within the limit.

    Ends the run where it failed: what breaks off early is not fast. An audit's status is 1 where it finds something.
    """
    start = time.perf_counter()
    try:
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return None
    taken = time.perf_counter() - start
    if done.returncode not in (0, 1) or done.stderr:
        sys.exit(f"{' '.join(command)[:200]} failed ({done.returncode}): {done.stderr.decode()[-500:]}")
    return taken


def start_up(folder: Path) -> None:
    """Each command against bare Python, one after the other in every round."""
    rules = folder / "rules" / "site"
    rules.mkdir(parents=True)
    text = (ROOT / "rules" / "timeouts" / "timeout-unlimited.yaml").read_text(encoding="utf-8")
    (rules / "no-limit.yaml").write_text(text, encoding="utf-8")
    bare: list[float] = []
    taken: dict[str, list[float]] = {name: [] for name, _, _ in BUDGET}
    for _ in range(ROUNDS):
        bare.append(seconds([sys.executable, "-c", "pass"]) or 0.0)
        for name, command, _ in BUDGET:
            words = [str(folder / "rules") if word == "RULES" else word for word in command]
            taken[name].append(seconds(words) or 0.0)
    floor = statistics.median(bare)
    print("start-up, as multiples of `python -c pass`")
    for name, _, budget in BUDGET:
        ratio = statistics.median(taken[name]) / floor
        print(f"  {name:<28} {ratio:5.1f}   budget {budget:4.1f}   {'kept' if ratio <= budget else 'OVER'}")


def scale(folder: Path) -> None:
    """Whole processes: our audit of N program files, and supervisor's own parse of the same files."""
    print("program files audited, beside supervisor's own parse of the same files (whole processes)")
    print(f"  {'files':>7} {'audit':>9} {'per file':>10} {'supervisor':>11} {'audit / supervisor':>19}")
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
        rounds = 5 if size <= 100 else 1
        ours, others = [], []
        for _ in range(rounds):
            ours.append(seconds([*AUDITOR, "audit", str(root), "--as", "host", "--format", "json"]) or 0.0)
            others.append(seconds([sys.executable, "-c", ORACLE, str(theirs)], SUPERVISOR_STOPS))
        mine = statistics.median(ours)
        ended = [one for one in others if one is not None]
        other = statistics.median(ended) if len(ended) == len(others) else None
        shown = f"{other:10.2f}s" if other is not None else f"  >{SUPERVISOR_STOPS:6.0f}s"
        ratio = f"{mine / other:.3f}" if other is not None else f"< {mine / SUPERVISOR_STOPS:.3f}"
        print(f"  {size:>7,} {mine:8.2f}s {mine / size * 1000:8.2f}ms {shown:>11} {ratio:>19}")


def live(folder: Path) -> None:
    """On servers like those of the tests."""
    sys.path.append(str(ROOT))
    from live import live as run

    run(folder)


def main() -> None:
    """Run those that are named, or all."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installation has its bytecode, and so do we
    seconds([*AUDITOR, "audit", HOST])  # bytecode and the compiled rules are there from the second start on
    parts = {"start-up": start_up, "scale": scale, "live": live}
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[1:] or parts:
            parts[name](Path(folder))


if __name__ == "__main__":
    main()
