"""Whether an image's PHP can have no pcntl, told only where its Dockerfile shows plainly what is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor import audit

WORKER = 'CMD ["php", "artisan", "queue:work"]\n'
LACKS = {
    "official, extensions without it": ("FROM php:8.2-fpm-alpine\nRUN install-php-extensions bcmath gd zip\n", True),
    "official, none at all": ("FROM php:8.3-cli\nRUN apt-get update && apt-get install -y git\n", True),
    "official, by its full name": ("FROM docker.io/library/php:8.3-cli\n", True),
    "official, release by ARG": ("ARG V=8.2\nFROM php:${V}-fpm-alpine\nRUN docker-php-ext-install pdo_mysql\n", True),
    "official, with it": ("FROM php:8.2-fpm-alpine\nRUN docker-php-ext-install pcntl pdo_mysql\n", False),
    "official, with it in a list of its own": (
        "FROM php:8.2-cli\nARG EXT=pcntl\nRUN install-php-extensions $EXT\n",
        False,
    ),
    "official, a list that is not seen": ("FROM php:8.2-cli\nARG EXT\nRUN install-php-extensions $EXT zip\n", False),
    "official, a script of its own": ("FROM php:8.2-cli\nCOPY setup.sh /\nRUN sh /setup.sh\n", False),
    "official, a stage further on": (
        "FROM php:8.2-cli AS base\nRUN docker-php-ext-install gd\nFROM base\nUSER www-data\n",
        True,
    ),
    "Debian's": ("FROM debian:12\nRUN apt-get install -y php-cli\n", False),
    "another's": ("FROM serversideup/php:8.3-cli\n", False),
    "another's of that name": ("FROM example.com/php:8.3\n", False),
}


@pytest.mark.parametrize("case", LACKS)
def test_what_an_image_lacks(case: str, tmp_path: Path) -> None:
    """The fact is true for an official PHP alone, and where nothing could have added the extension."""
    text, lacks = LACKS[case]
    (tmp_path / "Dockerfile").write_text(text + WORKER)
    (tmp_path / "artisan").write_text("<?php\n")

    site = audit.look(str(tmp_path), kind="repository")

    (image,) = [one for one in site.images if not one.target]
    assert image.lacks_pcntl is lacks
    verdict = audit.judge(site, audit.rulebook(select=["processes/image-without-pcntl"]))
    assert bool(verdict.findings) is lacks


def test_an_image_that_names_invoiceninja_is_told_of_as_such(tmp_path: Path) -> None:
    """The same lack is told once, by InvoiceNinja's own rule where the Dockerfile names the app."""
    (tmp_path / "Dockerfile").write_text("# InvoiceNinja\nFROM php:8.3\n" + WORKER)
    (tmp_path / "artisan").write_text("<?php\n")
    rules = audit.rulebook(select=["processes/image-without-pcntl", "invoiceninja/alpine-without-pcntl"])

    (finding,) = audit.judge(audit.look(str(tmp_path), kind="repository"), rules).findings

    assert finding.rule == "invoiceninja/alpine-without-pcntl"
