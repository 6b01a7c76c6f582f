"""Servers that take messages: one for the web, one for mail, each as good or as bad as it is told to be."""

from __future__ import annotations

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Hook:
    """A web server that keeps what is posted, and answers with `status`."""

    def __init__(self) -> None:
        """On a free port of loopback."""
        self.status = 200
        self.posts: list[dict[str, Any]] = []
        """Each body that was answered with 200."""
        self.asked: list[str] = []
        """Each request: "POST /x"."""
        self.ids: list[str] = []
        """The Idempotency-Key of each."""
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                hook.asked.append(f"POST {self.path}")
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.ids.append(self.headers["Idempotency-Key"])
                if hook.status == 200:
                    hook.posts.append(json.loads(body))
                self._answer()

            def do_GET(self) -> None:
                hook.asked.append(f"GET {self.path}")
                self._answer()

            def _answer(self) -> None:
                self.send_response(hook.status)
                if hook.status == 302:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_told: object) -> None:
                """Nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def changes(self) -> list[dict[str, Any]]:
        """What all messages told, each message once, in order."""
        once = {post["id"]: post for post in self.posts}
        return [change for post in once.values() for change in post["changes"]]

    def close(self) -> None:
        """Stop."""
        self.server.shutdown()
        self.server.server_close()


@contextmanager
def hook() -> Iterator[Hook]:
    """A Hook for as long as the block lasts."""
    made = Hook()
    try:
        yield made
    finally:
        made.close()


class Mailbox:
    """A mail server that takes one message after another; it answers `rcpt` to each recipient."""

    def __init__(self, rcpt: str = "250 ok") -> None:
        """On a free port of loopback."""
        self.rcpt = rcpt
        self.mails: list[str] = []
        self.heard: list[str] = []
        """Each command."""
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                talk, _ = self._server.accept()
            except OSError:
                return
            with talk, talk.makefile("rwb", buffering=0) as stream:
                self._talk(stream)

    def _talk(self, stream: Any) -> None:
        stream.write(b"220 here\r\n")
        while line := stream.readline().decode().strip():
            self.heard.append(line)
            word = line.partition(" ")[0].upper()
            if word == "DATA":
                stream.write(b"354 go on\r\n")
                lines = []
                while (text := stream.readline()) != b".\r\n":
                    lines.append(text.decode())
                self.mails.append("".join(lines))
            answers = {
                "EHLO": "250-here\r\n250 AUTH PLAIN LOGIN",
                "AUTH": "235 ok",
                "RCPT": self.rcpt,
                "QUIT": "221 bye",
            }
            stream.write(answers.get(word, "250 ok").encode() + b"\r\n")
            if word == "QUIT":
                return

    def close(self) -> None:
        """Stop."""
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()


@contextmanager
def mailbox(rcpt: str = "250 ok") -> Iterator[Mailbox]:
    """A Mailbox for as long as the block lasts."""
    made = Mailbox(rcpt)
    try:
        yield made
    finally:
        made.close()
