"""What is found for an app on a host: its account, PHP, places and names, each with the reason that is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from auditor.errors import UsageError
from auditor.ground import NO_ACCOUNT, Ground, Wishes, take_ground
from tests.bad_input.world import CRON, MAIN, SOUND, WORKER, Content, Gone, build

APP = "var/www/shop"
BARE: dict[str, Content] = {WORKER: Gone(), CRON: Gone(), "etc/cron.d/.keep": ""}
INCLUDE = "[include]\nfiles = /etc/supervisor/conf.d/*.conf\n"


def ground(root: Path, files: dict[str, Content], app: str = APP) -> Ground:
    """What is found on the sound host, with these files otherwise, its worker and scheduler gone."""
    moved = {path.replace(APP, app): text for path, text in SOUND.items()}
    build(root, {**BARE, **files}, moved)
    return take_ground(str(root), app, Wishes())


@pytest.mark.parametrize(
    ("files", "path"),
    [
        ({}, "etc/supervisor/conf.d/shop-worker.conf"),
        ({MAIN: Gone()}, "etc/supervisor/conf.d/shop-worker.conf"),
        (
            {
                MAIN: Gone(),
                "etc/supervisord.conf": SOUND[MAIN].replace(INCLUDE, "[include]\nfiles = supervisord.d/*.ini\n"),
            },
            "etc/supervisord.d/shop-worker.ini",
        ),
        (
            {MAIN: SOUND[MAIN].replace(INCLUDE, "[include]\nfiles = %(here)s/a.conf %(here)s/programs/*.conf\n")},
            "etc/supervisor/programs/shop-worker.conf",
        ),
    ],
)
def test_a_program_goes_where_supervisord_looks(tmp_path: Path, files: dict[str, Content], path: str) -> None:
    """The pattern that the configuration in use includes decides, and Debian's where there is none."""
    assert ground(tmp_path, files).program_path == path


@pytest.mark.parametrize(
    ("app", "base"),
    [
        ("var/www/shop", "shop"),
        ("var/www/shop/current", "shop"),
        ("var/www/html", "laravel"),
        ("home/forge/app.com", "app-com"),
        ("srv/site/backend", "laravel"),
        ("opt/My_Shop", "My_Shop"),
    ],
)
def test_files_are_called_by_what_the_app_is(tmp_path: Path, app: str, base: str) -> None:
    """The nearest folder that tells it; where none does, the profile's name."""
    assert ground(tmp_path, {}, app).base == base


@pytest.mark.parametrize(
    ("files", "php", "why"),
    [
        ({WORKER: SOUND[WORKER].replace("/usr/bin/php", "/opt/php/bin/php")}, "/opt/php/bin/php", "already names it"),
        (
            {"etc/php/8.1/cli/php.ini": "", "etc/php/8.3/cli/php.ini": ""},
            "/usr/bin/php8.3",
            "the newest with a command line in etc/php: 8.3, 8.1",
        ),
        ({"usr/local/bin/php": ""}, "/usr/local/bin/php", "it is there"),
        ({}, "/usr/bin/php", "assumed"),
    ],
)
def test_php(tmp_path: Path, files: dict[str, Content], php: str, why: str) -> None:
    """What runs the app already, else the newest that is configured, else what is there."""
    found = ground(tmp_path, files)

    assert found.php == php
    assert why in found.php_why


@pytest.mark.parametrize(
    ("files", "user", "why"),
    [
        ({WORKER: SOUND[WORKER].replace("www-data", "shop")}, "shop", "its workers already run as it"),
        ({"var/www/shop/storage/logs/.keep": ""}, "shop", "it owns the app's storage"),
        ({}, "www-data", "the web server's account"),
    ],
)
def test_account(tmp_path: Path, files: dict[str, Content], user: str, why: str) -> None:
    """The workers' own, else the storage's owner, else the web server's."""
    passwd = f"{SOUND['etc/passwd']}shop:x:1234:1234::/home/shop:/bin/sh\n"
    build(tmp_path, {**BARE, **files, "etc/passwd": passwd, "etc/group": "www-data:x:33:\nshopfolk:x:1234:\n"})
    if (tmp_path / APP / "storage").exists():
        os.chown(tmp_path / APP / "storage", 1234, 1234)

    account = take_ground(str(tmp_path), APP, Wishes()).who()

    assert (account.user, account.why) == (user, why)
    assert (account.home, account.group) == (("/home/shop", "shopfolk") if user == "shop" else ("/var/www", "www-data"))


def test_no_account_can_be_told(tmp_path: Path) -> None:
    """Without a list of accounts none is guessed."""
    with pytest.raises(UsageError, match=NO_ACCOUNT):
        ground(tmp_path, {"etc/passwd": Gone()}).who()


@pytest.mark.parametrize(
    ("files", "log"),
    [
        (
            {"etc/logrotate.d/.keep": "", "var/www/shop/storage/logs/.keep": ""},
            "/var/www/shop/storage/logs/scheduler.log",
        ),
        ({"etc/logrotate.d/.keep": ""}, None),
        ({"var/www/shop/storage/logs/.keep": ""}, None),
    ],
)
def test_the_schedulers_log(tmp_path: Path, files: dict[str, Content], log: str | None) -> None:
    """Only where its folder is there, without which the line would not run at all, and something rotates it."""
    build(tmp_path, {**BARE, **files})

    assert take_ground(str(tmp_path), APP, Wishes(profile="invoiceninja")).scheduler_log == log
