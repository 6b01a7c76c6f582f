"""/healthz and /metrics over HTTP, on loopback unless another address is named: two pages, and no more than a few readers."""

from __future__ import annotations

import contextlib
import http.server
import socket
import threading
from collections.abc import Callable
from typing import Any, ClassVar

from auditor.errors import UsageError

READERS = 8
"""Connections that are answered at the same time; further ones are closed."""
SECONDS = 5.0
"""How long a reader may be silent, and how long a connection lives."""

Page = Callable[[], tuple[int, str, str]]
"""Status, content type and text of a page."""


class Server:
    """Answers GET and HEAD of the pages it was given, in threads of its own."""

    def __init__(self, address: str, pages: dict[str, Page]) -> None:
        """Listen on "HOST:PORT"; raises UsageError where that is no address, or cannot be listened on."""
        host, _, port = address.rpartition(":")
        host = host.strip("[]")
        if not host or not port.isascii() or not port.isdecimal() or int(port) > 65_535:
            raise UsageError(f"--listen takes HOST:PORT, and “{address}” is none")
        try:
            self._server = _Http((host, int(port)), _handler(pages))
        except OSError as problem:
            raise UsageError(f"{address} cannot be listened on: {(problem.strerror or str(problem)).lower()}") from None
        self.port = int(self._server.server_address[1])
        """The port; where 0 was asked for, the one it got."""
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


class _Http(http.server.HTTPServer):
    def __init__(self, address: tuple[str, int], handler: Any) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._places = threading.BoundedSemaphore(READERS)
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """As HTTPServer's, without its look-up of the host's full name, which asks a name server."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """In a thread, where there is a place left."""
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        threading.Thread(target=self._answer, args=(request, client_address), daemon=True).start()

    def _answer(self, request: Any, client_address: Any) -> None:
        # A time-out on single reads does not end a reader that sends a byte now and then.
        end = threading.Timer(SECONDS, _cut, (request,))
        end.daemon = True
        end.start()
        try:
            self.finish_request(request, client_address)
        except Exception:  # noqa: BLE001, S110 - a reader that breaks off is no concern of the watch
            pass
        finally:
            end.cancel()
            self.shutdown_request(request)
            self._places.release()


def _cut(request: socket.socket) -> None:
    with contextlib.suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)


def _handler(pages: dict[str, Page]) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        timeout: ClassVar[float | None] = SECONDS
        server_version = "queue-auditor"
        sys_version = ""

        def do_GET(self) -> None:
            self._answer(body=True)

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def _answer(self, *, body: bool) -> None:
            page = pages.get(self.path.partition("?")[0])
            status, kind, text = (
                page() if page else (404, "text/plain; charset=utf-8", "There is /healthz and /metrics.\n")
            )
            data = text.encode("utf-8", "replace")
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Connection", "close")
            self.end_headers()
            if body:
                self.wfile.write(data)

        def log_message(self, *_told: Any) -> None:
            """Nothing: who reads is nobody's business."""

    return Handler
