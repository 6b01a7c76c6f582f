"""Servers that do wrong, each in its own way: they hang, hang up, drip, or speak another language."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

Way = Callable[[socket.socket, threading.Event], None]


def hangs(talk: socket.socket, over: threading.Event) -> None:
    """Accept, and never answer."""
    over.wait(30)


def hangs_up(talk: socket.socket, over: threading.Event) -> None:
    """Read the question, then close."""
    talk.settimeout(0.3)
    with contextlib.suppress(OSError):
        talk.recv(4096)


def speaks_http(talk: socket.socket, over: threading.Event) -> None:
    """Answer as a web server does, to whatever is said, or to silence."""
    talk.settimeout(0.3)
    with contextlib.suppress(OSError):
        talk.recv(4096)
    talk.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")


def speaks_nonsense(talk: socket.socket, over: threading.Event) -> None:
    """Send bytes that are nothing at all."""
    talk.sendall(bytes(range(256)) * 40)
    over.wait(5)


def drips(talk: socket.socket, over: threading.Event) -> None:
    """Send a byte now and then, so that no single read ever takes too long."""
    with contextlib.suppress(OSError):
        while not over.wait(0.05):
            talk.sendall(b"+")


def after(greeting: bytes, way: Way) -> Way:
    """Say this first, and then go that way."""

    def both(talk: socket.socket, over: threading.Event) -> None:
        talk.sendall(greeting)
        way(talk, over)

    return both


@contextlib.contextmanager
def serving(way: Way, path: Path | None = None) -> Iterator[int]:
    """A server that treats each caller that way, on a free loopback port (whose number this gives) or at `path`."""
    over = threading.Event()
    if path is None:
        listener = socket.create_server(("127.0.0.1", 0))
    else:
        listener = socket.socket(socket.AF_UNIX)
        with contextlib.chdir(path.parent):  # a socket's address holds no long path
            listener.bind(path.name)
        listener.listen()
    threads: list[threading.Thread] = []

    def treat(talk: socket.socket) -> None:
        with talk, contextlib.suppress(OSError):
            way(talk, over)

    def accept() -> None:
        while True:
            try:
                talk, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=treat, args=(talk,), daemon=True))
            threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield int(listener.getsockname()[1]) if path is None else 0
    finally:
        over.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(2)
        for thread in threads:
            thread.join(2)


@contextlib.contextmanager
def relaying(port: int, after_bytes: int) -> Iterator[int]:
    """A relay to a real server there that dies once it has handed back so many bytes of its answers."""

    def relay(talk: socket.socket, over: threading.Event) -> None:
        with socket.create_connection(("127.0.0.1", port), 2) as server:

            def forth() -> None:
                with contextlib.suppress(OSError):
                    while data := talk.recv(65536):
                        server.sendall(data)

            threading.Thread(target=forth, daemon=True).start()
            left = after_bytes
            server.settimeout(2)
            while left > 0 and (data := server.recv(65536)):
                talk.sendall(data[:left])
                left -= len(data)
            talk.shutdown(socket.SHUT_RDWR)

    with serving(relay) as own:
        yield own
