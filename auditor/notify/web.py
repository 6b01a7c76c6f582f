"""One request to a web server: bounded in time and size, never redirected, its address in no error."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from typing import Any

from auditor.notify.failures import Refused, Unsent

SECONDS = 10.0
"""How long a server may be silent."""
MOST = 65_536
"""Bytes of an answer that are read."""


def request(url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> None:
    """GET, or POST where there is a body; raises Unsent, or Refused where another try would be refused too."""
    import urllib.error
    import urllib.request

    class Stay(urllib.request.HTTPRedirectHandler):
        """A redirect would turn a POST into a GET, and carry it to who knows where."""

        def redirect_request(self, *_told: Any) -> None:
            return None

    opener = urllib.request.build_opener(Stay)
    opener.addheaders = [("User-Agent", "queue-auditor")]
    try:
        asked = urllib.request.Request(url, data=body, headers=dict(headers or {}))  # noqa: S310 - target.py lets http alone pass
        with opener.open(asked, timeout=SECONDS) as answer:
            answer.read(MOST)
    except urllib.error.HTTPError as problem:
        problem.close()
        refused = 300 <= problem.code < 500 and problem.code not in (408, 425, 429)
        raise (Refused if refused else Unsent)(f"the server answered {problem.code}") from None
    except urllib.error.URLError as problem:
        raise Unsent(reason(problem.reason)) from None
    except (OSError, http.client.HTTPException, ValueError) as problem:
        raise Unsent(reason(problem)) from None


def reason(problem: object) -> str:
    """Why a connection failed, as a clause that names no address and quotes no library."""
    import socket
    import ssl

    if isinstance(problem, TimeoutError):
        return "it did not answer in time"
    if isinstance(problem, socket.gaierror):
        return "its host's name is not known"
    if isinstance(problem, ConnectionRefusedError):
        return "nobody listens there"
    if isinstance(problem, ssl.SSLCertVerificationError):
        return "its certificate is not one that is trusted here"
    if isinstance(problem, ssl.SSLError):
        return "the connection cannot be encrypted"
    if isinstance(problem, OSError) and problem.strerror:
        return f"it cannot be reached ({problem.strerror.lower()})"
    return f"it cannot be reached ({type(problem).__name__})"
