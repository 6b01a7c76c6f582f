"""What well-known base images bring and start, from their own documentation and Dockerfiles: one literal table."""

from __future__ import annotations

import fnmatch
from typing import NamedTuple


class Base(NamedTuple):
    """What one image family brings."""

    user: str | None = None
    """The account it starts as; None where that differs among its tags."""
    supervisor: bool = False
    """Whether supervisord is its main process."""
    cron: bool = False
    """Whether it starts a cron daemon."""


BASES: dict[str, Base] = {
    # https://dockerfile.readthedocs.io/en/latest/content/DockerImages/dockerfiles/php-nginx.html
    "webdevops/php*": Base("root", supervisor=True, cron=True),
    "webdevops/apache*": Base("root", supervisor=True),
    "webdevops/nginx*": Base("root", supervisor=True),
    # https://github.com/richarvey/nginx-php-fpm
    "richarvey/nginx-php-fpm*": Base("root", supervisor=True),
    # https://github.com/TrafeX/docker-php-nginx
    "trafex/php-nginx*": Base("nobody", supervisor=True),
    # https://github.com/phusion/baseimage-docker
    "phusion/*": Base("root", cron=True),
    # https://docs.linuxserver.io/general/running-our-containers/ : s6-overlay, and cron in most
    "linuxserver/*": Base("root", cron=True),
    "lscr.io/linuxserver/*": Base("root", cron=True),
    # https://serversideup.net/open-source/docker-php/
    "serversideup/php*": Base("www-data"),
    "docker.io/serversideup/php*": Base("www-data"),
    # Docker's official images, whose Dockerfiles set no USER
    "php": Base("root"),
    "php:*": Base("root"),
    "ubuntu*": Base("root"),
    "debian*": Base("root"),
    "alpine*": Base("root"),
    "composer*": Base("root"),
    "node*": Base("root"),
    "amazonlinux*": Base("root"),
    "centos*": Base("root"),
    "rockylinux*": Base("root"),
    "almalinux*": Base("root"),
    "fedora*": Base("root"),
    "docker.io/library/*": Base("root"),
    "dunglas/frankenphp*": Base("root"),
    "scratch": Base("root"),
}
"""Image name pattern to what it brings."""


def base_of(image: str) -> Base | None:
    """What is known of an image by its name; None for nothing."""
    name = image.lower().partition("@")[0]
    for pattern, base in BASES.items():
        if fnmatch.fnmatchcase(name, pattern):
            return base
    return None
