"""A log read and classified by the watch, beside `grep -E` for the levels that it looks for first; start-up taken off."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from measure import in_turn

LOG_BYTES = 256 * 1024 * 1024
READ = """
import sys
from auditor.sources.logs.follow import Log, look
from auditor.sources.logs.formats import forms
from auditor.sources.logs.signatures import load_signatures
look(sys.argv[1], Log(), forms(load_signatures())["laravel"], 1.0)
"""
TRACE = "".join(f"#{n} /var/www/app/vendor/laravel/framework/src/Queue/Worker.php({n}): A->b()\n" for n in range(40))
PLAIN = "".join(f"[2026-03-01 10:00:{n:02}] production.INFO: Order {n} was packed and sent  \n" for n in range(60))
FAULT = '[2026-03-01 10:01:00] production.ERROR: SQLSTATE[HY000] [2002] Connection refused {"exception":"[object]\n'
BLOCKS = {
    "an error in 6,000 records": PLAIN * 100 + FAULT + TRACE,
    "an error in 60 records": PLAIN + FAULT + TRACE,
}


def logs(folder: Path, rounds: int) -> None:
    """Print the ratio of throughput for a log with few errors, and for one with many."""
    print("\na log read and classified by the watch, beside `LC_ALL=C grep -cE` for its levels (ratio of throughput)")
    log, empty = folder / "laravel.log", folder / "empty.log"
    empty.touch()
    levels = f"LC_ALL=C grep -cE '\\.(ERROR|CRITICAL|ALERT|EMERGENCY): ' {shlex.quote(str(log))} | cat"
    commands = {
        "start": [sys.executable, "-c", READ, str(empty)],
        "ours": [sys.executable, "-c", READ, str(log)],
        "grep": ["sh", "-c", levels],  # straight into /dev/null it would stop at the first
    }
    for name, block in BLOCKS.items():
        log.write_text(block * (LOG_BYTES // len(block)), encoding="utf-8")
        found = in_turn(commands, rounds)
        size = log.stat().st_size / 1e6
        mine, other = found["ours"].seconds - found["start"].seconds, found["grep"].seconds
        print(f"  {name:<28} {size / mine:6.0f} MB/s   grep {size / other:6.0f} MB/s   ratio {other / mine:5.2f}")
    log.unlink()
