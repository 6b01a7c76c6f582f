"""Harms of how an image is made: what its Dockerfile leaves out, the host that stands for its container leaves out too."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from tests.proofs.scenes.scene import NAME, Change, Scene, Seen, see
from tests.stack.host import Host
from tests.stack.polling import until
from tests.stack.supervisord import Supervisord

DOCKERFILE = """\
FROM php:8.2-cli
RUN apt-get update && apt-get install -y supervisor
RUN docker-php-ext-install {extensions}
WORKDIR /var/www/app
COPY . /var/www/app
COPY docker/works.conf /etc/supervisor/conf.d/works.conf
CMD ["supervisord", "-n", "-c", "/etc/supervisor/supervisord.conf"]
"""
NO_PCNTL = """\
<?php

namespace Illuminate\\Queue;

function extension_loaded(string $name): bool
{
    return $name !== 'pcntl' && \\extension_loaded($name);
}
"""
"""Answers Laravel's one question, whether there is a pcntl, as such an image's PHP does: Debian's cannot be had without."""


class WithoutPcntl(Scene):
    """Without pcntl a job outlasts its --timeout, and a worker that is told to stop dies in the middle of its job."""

    rule = "processes/image-without-pcntl"
    subject = "Dockerfile"
    then = "The job that takes too long is ended, and supervisord waits for the other one."
    audited = "var/www/app"
    always = Change(options={"tries": "1"})
    first_line: ClassVar[str] = ""
    """What the Dockerfile begins with."""
    clock: ClassVar[str | None] = "+0 x30"

    @override
    def prepare(self, host: Host, *, bad: bool) -> None:
        app = host.folder / self.audited
        extensions = "pdo_mysql" if bad else "pdo_mysql pcntl"
        (app / "Dockerfile").write_text(self.first_line + DOCKERFILE.format(extensions=extensions))
        (app / "docker").mkdir()
        shutil.copy(host.folder / "etc/supervisor/conf.d/works.conf", app / "docker")
        shutil.copytree("/etc/php", host.folder / "etc/php", symlinks=True)
        if bad:
            _take_pcntl_away(host.folder / "etc/php")

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        host.laravel.push("H", seconds=75).must()
        until(lambda: host.journal.ends("H") or host.journal.failures("H"), 10, "H ends, or is ended")
        host.laravel.push("J", seconds=50).must()
        host.laravel.await_start("J")
        server.restart(NAME)
        return see(host)

    @override
    def harmed(self, seen: Seen) -> None:
        assert seen.labels("end") == {"H"}
        assert not seen.failures
        assert f"stopped: {NAME} (terminated by SIGTERM)" in seen.log

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.labels("failed") == {"H"}
        assert seen.labels("end") == {"J"}
        assert f"stopped: {NAME} (exit status 0)" in seen.log


def _take_pcntl_away(folder: Path) -> None:
    (folder / "no-pcntl.php").write_text(NO_PCNTL)
    for settings in folder.glob("*/cli/conf.d"):
        (settings / "99-no-pcntl.ini").write_text("auto_prepend_file=/etc/php/no-pcntl.php\n")


class NinjaWithoutPcntl(WithoutPcntl):
    """In InvoiceNinja's image too a job outlasts its worker's --timeout where pcntl is missing."""

    rule = "invoiceninja/alpine-without-pcntl"
    then = "The job that takes too long is ended."
    first_line: ClassVar[str] = "# InvoiceNinja\n"
    clock: ClassVar[str | None] = "+0 x60"

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        host.laravel.push("H", seconds=100).must()
        until(lambda: host.journal.ends("H") or host.journal.failures("H"), 10, "H ends, or is ended")
        return see(host)

    @override
    def harmed(self, seen: Seen) -> None:
        assert seen.labels("end") == {"H"}
        assert not seen.failures

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.labels("failed") == {"H"}
        assert not seen.ends
