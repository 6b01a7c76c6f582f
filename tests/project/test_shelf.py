"""The compiled rules are the rules: whatever makes them stale is seen, in a checkout and in an installation."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

RULE = "rules/timeouts/timeout-unlimited.yaml"
PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from auditor.judge import shelf
assert shelf.__file__.startswith(sys.argv[1])
print(shelf._compiled() is not None, shelf.shipped().rules["timeouts/timeout-unlimited"].title, sep="|")
"""


def ask(house: Path) -> tuple[bool, str]:
    """Whether the compiled rules were fresh, and the title that the rule has."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(house)], capture_output=True, text=True, check=False, cwd=house
    )
    assert done.returncode == 0, done.stderr
    fresh, _, title = done.stdout.strip().partition("|")
    return fresh == "True", title


@pytest.fixture(scope="module")
def house(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout whose rules are compiled."""
    made = tmp_path_factory.mktemp("house")
    for name in ("auditor", "rules"):
        shutil.copytree(checkout / name, made / name, ignore=shutil.ignore_patterns("__pycache__", "_shelf.py*"))
    assert ask(made)[0] is False
    assert ask(made)[0] is True
    return made


def edit(house: Path) -> None:
    """A rule gets another title of the same length."""
    rule = house / RULE
    title = next(line for line in rule.read_text().splitlines() if line.startswith("title: "))
    rule.write_text(rule.read_text().replace(title, title[:-1] + chr(ord("a") + (ord(title[-1]) + 1) % 26)))


def cut(house: Path) -> None:
    """Whoever wrote it was stopped halfway."""
    shelf = house / "auditor/_shelf.py"
    shelf.write_text(shelf.read_text()[:5000])


def age(house: Path) -> None:
    """Another release made it."""
    shelf = house / "auditor/_shelf.py"
    shelf.write_text(shelf.read_text().replace("\nVERSION = ", "\nVERSION = 'older' + ", 1))


def remove(house: Path) -> None:
    """A rule is gone, and no other was changed."""
    next((house / "rules/supervisor").glob("*.yaml")).unlink()


def backdate(house: Path) -> None:
    """A rule is edited to the same length, and its time is that of long ago: as after unpacking an archive."""
    edit(house)
    os.utime(house / RULE, (1_600_000_000, 1_600_000_000))


@pytest.mark.parametrize("damage", [edit, cut, age, remove, backdate], ids=lambda damage: damage.__name__)
def test_a_checkout_makes_its_own_anew(house: Path, damage: Callable[[Path], None]) -> None:
    """The files count at once, and the next start finds them compiled."""
    damage(house)

    fresh, title = ask(house)

    assert not fresh
    assert f"title: {title}\n" in (house / RULE).read_text()
    assert ask(house) == (True, title)


def test_an_installation_is_read_and_never_written(house: Path, tmp_path: Path) -> None:
    """Its rules' files may be newer than what came with them; where one was edited, it counts."""
    shutil.copytree(house, tmp_path, dirs_exist_ok=True)
    (tmp_path / "rules").rename(tmp_path / "auditor/rules")
    inside = tmp_path / "auditor"
    (inside / RULE).touch()
    assert ask(tmp_path)[0] is True

    rule = (inside / RULE).read_text()
    (inside / RULE).write_text(rule.replace("title: ", "title: Certainly ", 1))
    shelf = (inside / "_shelf.py").read_bytes()
    fresh, title = ask(tmp_path)

    assert not fresh
    assert title.startswith("Certainly ")
    assert (inside / "_shelf.py").read_bytes() == shelf
