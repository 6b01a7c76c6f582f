"""What lies around a cron table: the programs on its search path, and the logs that logrotate names."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.sources.crontab import read_crontabs
from auditor.sources.logrotate import patterns, read_rotated
from auditor.sources.tree import Tree

RUN = "* * * * * www-data cd /srv/shop && php artisan schedule:run\n"


@pytest.mark.parametrize(
    ("text", "programs", "expected"),
    [
        (RUN, ["usr/bin/php"], ""),
        (RUN, ["usr/local/bin/php"], "php"),
        (f"PATH=/usr/local/bin:/usr/bin\n{RUN}", ["usr/local/bin/php"], ""),
        (f"PATH=/sbin\n{RUN}", [], "php"),
        (RUN.replace("php", "php8.2"), ["usr/local/bin/php8.2"], "php8.2"),
        (RUN.replace("php", "/opt/php/bin/php"), ["usr/local/bin/php"], ""),
        (RUN, [], None),
        (RUN.replace("php", "PATH=/opt/php/bin php"), ["usr/local/bin/php"], None),
    ],
)
def test_php_is_on_the_path_or_not(tmp_path: Path, text: str, programs: list[str], expected: str | None) -> None:
    """A php that lies elsewhere is not found; where no php is seen at all, that is not known."""
    (tmp_path / "etc/cron.d").mkdir(parents=True)
    (tmp_path / "etc/cron.d/shop").write_text(text)
    for program in programs:
        (tmp_path / program).parent.mkdir(parents=True)
        (tmp_path / program).write_text("")
    ((line,),) = (table.lines for table in read_crontabs(Tree(tmp_path)))

    assert (None if line.is_unknown("not_on_path") else line.not_on_path) == expected


def test_paths_of_a_logrotate_file_are_those_outside_its_blocks() -> None:
    """Several paths to a block, in quotes or on lines of their own, and none of a script's."""
    text = """
# /var/log/comment.log
/var/log/one.log "/var/log/two.log" {
    weekly
    postrotate
        /usr/bin/supervisorctl signal USR2 all
    endscript
}
/var/log/three/*.log
/var/log/four.log
{
    daily
}
/var/log/five.log { daily }
"""

    names = ["one.log", "two.log", "three/*.log", "four.log", "five.log"]
    assert patterns(text) == [f"/var/log/{name}" for name in names]


def test_without_logrotate_nothing_is_known_to_be_rotated(tmp_path: Path) -> None:
    """A tree that holds no logrotate configuration tells nothing."""
    _, mark = read_rotated(Tree(tmp_path))

    assert mark.reason


def test_drop_ins_are_read(tmp_path: Path) -> None:
    """Every file of etc/logrotate.d counts."""
    (tmp_path / "etc/logrotate.d").mkdir(parents=True)
    (tmp_path / "etc/logrotate.d/shop").write_text("/var/log/shop.log {\n}\n")

    assert read_rotated(Tree(tmp_path))[0] == ("/var/log/shop.log",)


def test_many_options_of_php_are_looked_through_quickly(tmp_path: Path) -> None:
    """A command of hundreds of options that names no artisan costs no more than its length."""
    (tmp_path / "etc/cron.d").mkdir(parents=True)
    (tmp_path / "etc/cron.d/shop").write_text(f"* * * * * root php {'-d=1 a=b ' * 80}x\n" * 20)
    (table,) = read_crontabs(Tree(tmp_path))

    assert {line.not_on_path for line in table.lines} == {""}
