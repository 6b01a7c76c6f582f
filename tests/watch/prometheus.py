"""Whether a text is one that Prometheus reads: its text format 0.0.4, as its documentation has it, and no more than that."""

from __future__ import annotations

import re

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
_SAMPLE = re.compile(rf"({_NAME})(\{{(?:{_LABEL}(?:,{_LABEL})*)?,?\}})? (\S+)(?: (-?\d+))?")
_META = re.compile(rf"# (HELP|TYPE) ({_NAME}) (.*)")
_TYPES = ("counter", "gauge", "histogram", "summary", "untyped")


def samples(text: str) -> dict[str, float]:
    """Name and labels to value; raises ValueError with the line that is not as it has to be."""
    if not text.endswith("\n"):
        raise ValueError("the last line has no end")
    found: dict[str, float] = {}
    types: dict[str, str] = {}
    helped: set[str] = set()
    done: set[str] = set()
    name = ""
    for line in text.splitlines():
        meta = _META.fullmatch(line)
        if meta is not None:
            kind, about, rest = meta.groups()
            if about in (helped if kind == "HELP" else types) or about in done:
                raise ValueError(f"a second {kind}, or one behind its samples: {line}")
            if kind == "HELP":
                helped.add(about)
            elif rest in _TYPES:
                types[about] = rest
            else:
                raise ValueError(f"no type: {line}")
            continue
        if line.startswith("#") or not line:
            continue
        sample = _SAMPLE.fullmatch(line)
        if sample is None:
            raise ValueError(f"no sample: {line}")
        if sample[1] != name:
            if sample[1] in done:
                raise ValueError(f"the lines of a metric stand apart: {line}")
            name = sample[1]
            done.add(name)
        key = sample[1] + (sample[2] or "")
        if key in found:
            raise ValueError(f"twice the same: {line}")
        if types.get(name) == "counter" and not name.endswith("_total"):
            raise ValueError(f"a counter's name ends in _total: {line}")
        found[key] = float(sample[3].replace("Inf", "inf"))
    return found
