"""The facts file: a Site as JSON, redacted and versioned, that an audit elsewhere can judge.

JSON has no infinity, so a limit that is not there is written as the text "Infinity", which only a number's field reads
back as one.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import msgspec

from auditor.errors import FactsRefused
from auditor.facts.site import FORMAT, Site

MAX_BYTES = 256 * 1024 * 1024
"""No facts file is larger."""
NO_LIMIT = "Infinity"


def write_facts(site: Site, *, version: str) -> str:
    """The Site as one JSON object; secrets were hidden when the facts were made."""
    plain = finite(msgspec.to_builtins(site))
    text = json.dumps({"tool": "queue-auditor", "version": version, **plain}, indent=1, ensure_ascii=False) + "\n"
    return text.encode("utf-8", "replace").decode()  # JSON carries no byte that is of no encoding


def read_facts(path: str) -> Site:
    """The Site that a facts file holds; raises FactsRefused."""
    file = Path(path)
    if file.stat().st_size > MAX_BYTES:
        raise FactsRefused(path, f"it is larger than {MAX_BYTES:,} bytes")
    data = file.read_bytes()
    try:
        head = msgspec.json.decode(data, type=_Head)
        if head.tool != "queue-auditor" or head.format is None:
            raise FactsRefused(path, "it is no facts file of queue-auditor")
        if head.format != FORMAT:
            raise FactsRefused(path, f"its format is {head.format}, and this version reads format {FORMAT}")
        return msgspec.json.decode(data, type=Site, strict=False)
    except msgspec.ValidationError as problem:
        raise FactsRefused(path, f"it is no facts file of queue-auditor: {_clause(problem)}") from None
    except RecursionError:
        raise FactsRefused(path, "it is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        at = getattr(problem, "start", None)
        if "truncated" in str(problem):
            at = len(data)
        found = re.search(r"byte (\d+)", str(problem))
        place = int(found[1]) if found else at
        line = None if place is None else data.count(b"\n", 0, place) + 1
        reason = "it is not UTF-8" if isinstance(problem, UnicodeDecodeError) else f"it is not JSON: {_clause(problem)}"
        raise FactsRefused(path, reason, line) from None


class _Head(msgspec.Struct):
    """What every facts file says of itself."""

    tool: str = ""
    format: int | None = None


def _clause(problem: Exception) -> str:
    text = str(problem)
    return f"{text[:1].lower()}{text[1:]}"


def finite(value: Any) -> Any:
    """A value with the text NO_LIMIT for each infinity in it."""
    if isinstance(value, dict):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    return NO_LIMIT if isinstance(value, float) and math.isinf(value) else value
