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
    signal: str | None = None
    """What its containers are stopped with, without SIG; None where that is not known, or differs among its tags."""
    sh: str = ""
    """What its /bin/sh is where its name does not say Alpine: "dash", "bash", or "" for not known."""


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
    # Docker's official images, whose Dockerfiles set no USER; PHP's set STOPSIGNAL for FPM and for Apache
    # (https://github.com/docker-library/php)
    "php:*fpm*": Base("root", signal="QUIT", sh="dash"),
    "php:*apache*": Base("root", signal="WINCH", sh="dash"),
    "php": Base("root", signal="TERM", sh="dash"),
    "php:*": Base("root", signal="TERM", sh="dash"),
    "ubuntu*": Base("root", signal="TERM", sh="dash"),
    "debian*": Base("root", signal="TERM", sh="dash"),
    "alpine*": Base("root", signal="TERM"),
    "composer*": Base("root", signal="TERM"),
    "node*": Base("root", signal="TERM", sh="dash"),
    "amazonlinux*": Base("root", signal="TERM", sh="bash"),
    "centos*": Base("root", signal="TERM", sh="bash"),
    "rockylinux*": Base("root", signal="TERM", sh="bash"),
    "almalinux*": Base("root", signal="TERM", sh="bash"),
    "fedora*": Base("root", signal="TERM", sh="bash"),
    "dunglas/frankenphp*": Base("root"),
    "scratch": Base("root", signal="TERM"),
    "docker.io/library/*": Base("root"),
}
"""Image name pattern to what it brings."""


def base_of(image: str) -> Base | None:
    """What is known of an image by its name; None for nothing."""
    name = image.lower().partition("@")[0]
    names = (name.removeprefix("docker.io/library/"), name)
    for pattern, base in BASES.items():
        if any(fnmatch.fnmatchcase(each, pattern) for each in names):
            return base
    return None


def sh_of(image: str) -> str:
    """What /bin/sh is in an image, by its name: "dash", "bash", or "" for not known."""
    base = base_of(image)
    return base.sh if base is not None and "alpine" not in image.lower() else ""
