"""GoCardless Bank Account Data as its documentation tells it, on this machine: answers, errors, limits, and hang-ups."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from tests.bank.ninja import ID, KEY

TOKEN = "an-access-token-of-the-test-server"
AGREEMENT = "aaaaaaaa-1111-4222-8333-444444444444"

Answer = tuple[int, Mapping[str, Any] | bytes, Mapping[str, str]]
"""Status, body and headers."""
Behaviour = Callable[[str], Answer | None]
"""Path to what is answered in place of the usual; None for the usual."""


class Asked(NamedTuple):
    """One request that came in."""

    method: str
    path: str
    authorization: str
    body: bytes


def requisition(number: int, accounts: Sequence[str], **about: Any) -> dict[str, Any]:
    """A requisition as it is listed."""
    return {
        "id": f"{number:08d}-9999-4999-8999-999999999999", "created": f"2026-05-01T08:05:{number % 60:02d}.943313Z",
        "redirect": "https://ninja.example/nordigen/confirm", "status": "LN", "institution_id": "INGB_NL_INGBNL2A",
        "agreement": AGREEMENT, "reference": f"r{number}", "accounts": list(accounts), "user_language": "NL",
        "link": "https://ob.example/psd2/start", "ssn": None, "account_selection": False, "redirect_immediate": False, **about,
    }  # fmt: skip


def account(identity: str, status: str = "READY") -> dict[str, Any]:
    """An account's metadata."""
    return {
        "id": identity, "created": "2026-05-01T08:05:13.943313Z", "last_accessed": "2026-06-09T13:00:07.119823Z",
        "iban": "NL91ABNA0417164300", "status": status, "institution_id": "INGB_NL_INGBNL2A", "owner_name": "Holder's Name",
    }  # fmt: skip


class Provider:
    """The server, what it holds, and what it was asked."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self.accounts: dict[str, Mapping[str, Any]] = {}
        self.requisitions: list[Mapping[str, Any]] = []
        self.agreements: dict[str, Mapping[str, Any]] = {
            AGREEMENT: {"id": AGREEMENT, "accepted": "2026-05-01T08:06:00Z", "access_valid_for_days": 90}
        }
        self.behaviour: Behaviour = lambda _: None
        self.asked: list[Asked] = []
        self.url = ""
        self.released = threading.Event()
        """Set at the end, so that no hang-up outlives a test."""

    @property
    def paths(self) -> list[str]:
        """The paths that were asked for, below the API's own."""
        return [one.path for one in self.asked]

    def usual(self, asked: Asked) -> Answer:
        """What the documentation says."""
        parts = urlsplit(asked.path)
        if parts.path == "/token/new/" and asked.method == "POST":
            if json.loads(asked.body) != {"secret_id": ID, "secret_key": KEY}:
                return failure(401, "Authentication failed", "No active account found with the given credentials")
            return 200, {"access": TOKEN, "access_expires": 86400, "refresh": "r", "refresh_expires": 2592000}, {}
        if asked.authorization != f"Bearer {TOKEN}":
            return failure(401, "Invalid token", "Token is invalid or expired")
        kind, _, identity = parts.path.strip("/").rpartition("/")
        if parts.path == "/requisitions/":
            query = parse_qs(parts.query)
            start, length = int(query["offset"][0]), int(query["limit"][0])
            more = start + length < len(self.requisitions)
            page = self.requisitions[start : start + length]
            return (
                200,
                {"count": len(self.requisitions), "next": f"{self.url}/evil" if more else None, "results": page},
                {},
            )
        table: Mapping[str, Mapping[str, Any]] = {"accounts": self.accounts, "agreements/enduser": self.agreements}.get(
            kind, {}
        )
        if identity in table:
            return 200, table[identity], {}
        return failure(404, "Not found.", "Not found.")

    @contextmanager
    def serving(self) -> Iterator[Provider]:
        """On a free port of the loopback, for as long as the block lasts."""
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        server.daemon_threads = True
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.released.set()
            server.shutdown()
            server.server_close()

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                asked = Asked(self.command, self.path, self.headers.get("Authorization", ""), body)
                provider.asked.append(asked)
                status, told, headers = provider.behaviour(asked.path) or provider.usual(asked)
                data = told if isinstance(told, bytes) else json.dumps(told).encode()
                if status == HANG:
                    provider.released.wait(30)
                    return
                if status == TRICKLE:
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                    end = time.monotonic() + 30
                    while not provider.released.wait(0.05) and time.monotonic() < end:
                        self.wfile.write(b" ")
                    return
                if status == SLAM:
                    return
                self.send_response(status)
                for name, value in {
                    "Content-Type": "application/json",
                    "Content-Length": str(len(data)),
                    **headers,
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = answer  # noqa: N815 - the library's names

            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def handle(self) -> None:
                try:
                    super().handle()
                except OSError:
                    return  # whoever asked has gone

        return Handler


HANG, TRICKLE, SLAM = -1, -2, -3
"""In place of a status: never answer, answer a byte at a time, close the connection."""


def failure(status: int, summary: str, detail: str = "", **headers: str) -> Answer:
    """An error as the API words it."""
    return status, {"summary": summary, "detail": detail, "status_code": status}, headers
