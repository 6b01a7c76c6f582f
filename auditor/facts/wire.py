"""The facts file: a Site as JSON, redacted and versioned, that an audit elsewhere can judge.

JSON has no infinity, so a limit that is not there is written as the text "Infinity", which only a number's field reads
back as one.
"""

from __future__ import annotations

import json
import math
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
    plain = _finite(msgspec.to_builtins(site))
    return json.dumps({"tool": "queue-auditor", "version": version, **plain}, indent=1, ensure_ascii=False) + "\n"


def read_facts(path: str) -> Site:
    """The Site that a facts file holds; raises FactsRefused."""
    file = Path(path)
    if file.stat().st_size > MAX_BYTES:
        raise FactsRefused(path, f"it is larger than {MAX_BYTES:,} bytes")
    try:
        found = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as problem:
        line = getattr(problem, "lineno", None)
        raise FactsRefused(path, f"not JSON: {getattr(problem, 'msg', None) or 'nested too deeply'}", line) from None
    if not isinstance(found, dict) or found.get("tool") != "queue-auditor" or "format" not in found:
        raise FactsRefused(path, "it is no facts file of queue-auditor")
    if found["format"] != FORMAT:
        raise FactsRefused(path, f"its format is {found['format']}, and this version reads format {FORMAT}")
    try:
        return msgspec.convert(found, Site, strict=False)
    except (msgspec.ValidationError, RecursionError) as problem:
        raise FactsRefused(path, f"it is no facts file of queue-auditor: {problem}") from None


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    if isinstance(value, float) and value == math.inf:
        return NO_LIMIT
    return value
