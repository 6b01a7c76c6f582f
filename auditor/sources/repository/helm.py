"""Templates of a Helm chart with the values that the chart itself brings put in, line for line.

A placeholder is put in where its value plainly stands in the chart's values.yaml and no other file of values sets it to
something else; every other stays as it is written, which readers take for unknown. A block whose condition the values deny is
left out. https://helm.sh/docs/chart_template_guide/
"""

from __future__ import annotations

import functools
import json
import re
from typing import NamedTuple

from auditor.dialects.yaml_lines import Node, load
from auditor.sources.repository.model import Files

MAX_DEPTH = 30
"""Expressions and blocks that are nested deeper are not worked out."""
MAX_LINES = 20_000
"""No longer template is filled in."""
MAX_RANGE = 500
"""What a range makes is looked for on no more lines."""
MAX_TURNS = 20
"""No more turns of a range, and no more files of values, are followed."""
MAX_LINE = 5000
"""Longer lines stay as they are."""

_TEMPLATE = re.compile(r"(?:^|/)templates/(?:[^/]+/)*[^/]+\.ya?ml$")
_TAG = re.compile(r"\{\{-?((?:[^{}]|\{(?!\{)|\}(?!\}))*?)-?\}\}")
_ASSIGNS = re.compile(r"(\$\w+)\s*:?=\s*(.*)")
_BLOCK = re.compile(r"\{\{-?\s*(if|with|range|define|block|else|end)\b([^{}]*)\}\}")
_WORD = re.compile(r"\{\{-?\s*(if|with|range|define|block|end)\b")
_TOKEN = re.compile(r"\"(?:[^\"\\]|\\.)*\"|`[^`]*`|[()|]|[^\s()|]+")
_OTHER_VALUES = re.compile(r"values[\w.-]*\.ya?ml$")
_UNSAFE = re.compile(r"[:#]\s|[\n\"'\\]|\s#|^[\s\[\]{}&*!|>%@`,?-]|\s$|:$")
_FALSE = ("", "false", "0", "null", "~")
_SAME = ("int", "int64", "toString", "trim", "required", "squote", "quote", "toYaml", "toJson", "toRawJson")
"""Functions that hand on the last of what they are given, as far as it matters here."""

Value = Node | str | None
"""A node of the values, a text, or None for what is not known."""


class _Chart(NamedTuple):
    """A chart's values."""

    path: str
    """Its values.yaml."""
    values: Node
    others: tuple[Node, ...]
    """Further files of values, which an installation may use instead."""


class _Scope:
    """One block that is open."""

    __slots__ = ("context", "decided", "shown", "turns")

    def __init__(self, *, shown: bool, decided: bool | None, context: Value, turns: bool = False) -> None:
        self.shown = shown
        """Whether the lines in it are kept."""
        self.decided = decided
        """Whether one of its branches is taken for certain; None where that is not known."""
        self.context = context
        """What a dot stands for in it."""
        self.turns = turns
        """Whether it is a range that is followed turn by turn."""


def filled(files: Files, path: str) -> list[str]:
    """The text of a manifest; of a chart's template, with the chart's own values in place, once for each turn of its ranges."""
    text = files.text(path)
    if text is None:
        return []
    if "{{" not in text or not is_template(path) or text.count("\n") > MAX_LINES:
        return [text]
    chart = _chart_of(files, path)
    if chart is None:
        return [text]
    first = _Filling(files, chart, 0)
    return [
        first.fill(text),
        *(_Filling(files, chart, turn).fill(text) for turn in range(1, min(first.turns, MAX_TURNS))),
    ]


def is_template(path: str) -> bool:
    """Whether a file lies where a chart's templates do."""
    return _TEMPLATE.search(path) is not None


def _chart_of(files: Files, path: str) -> _Chart | None:
    """The chart that a template belongs to."""
    folder = path[: path.rindex("templates/")].rstrip("/")
    held = files.tree.relative("Chart.yaml", folder)
    own = files.tree.relative("values.yaml", folder)
    values = _loaded(files.text(own) or "") if files.is_file(held) and files.is_file(own) else None
    if values is None or values.kind != "map":
        return None
    names = [name for name in files.tree.names(folder) if _OTHER_VALUES.fullmatch(name) and name != "values.yaml"]
    others = [_loaded(files.text(files.tree.relative(name, folder)) or "") for name in names[:MAX_TURNS]]
    parent, _, name = folder.rpartition("/charts/")
    if parent and files.is_file(f"{parent}/values.yaml"):  # what an umbrella chart gives it
        above = _loaded(files.text(f"{parent}/values.yaml") or "")
        others.append(above.get(name) if above is not None else None)
    return _Chart(own, values, tuple(node for node in others if node is not None and node.kind == "map"))


@functools.lru_cache(maxsize=32)
def _loaded(text: str) -> Node | None:
    """A file of values, which each of a chart's templates asks for again."""
    return load(text)


class _Filling:
    """One reading of a template: every range that makes resources at its same turn."""

    def __init__(self, files: Files, chart: _Chart, turn: int) -> None:
        self.files = files
        self.chart = chart
        self.turn = turn
        self.turns = 1
        """How many turns the longest of those ranges has."""
        self.scopes: list[_Scope] = []
        self.variables: dict[str, Value] = {}

    def fill(self, text: str) -> str:
        """Each line as the chart's values make it, as many as before; with too many blocks in each other, as it is written."""
        lines = _without_comments(text).split("\n")
        out: list[str] = []
        above = ""
        for number, line in enumerate(lines):
            tagged = "{{" in line and len(line) < MAX_LINE
            block = _BLOCK.fullmatch(line.strip()) if tagged else None
            if block is not None:
                self._block(block[1], block[2].rstrip("-").strip(), lines, number)
            elif tagged:
                self._inside_a_line(line)
            if len(self.scopes) > MAX_DEPTH:
                return text
            if block is not None or not self._is_shown():
                out.append("")
                continue
            done = line
            if tagged:
                whole = _TAG.fullmatch(line.strip())
                assigned = _ASSIGNS.match(whole[1].strip()) if whole is not None else None
                if assigned is not None:
                    self.variables[assigned[1]] = self._value(assigned[2])
                left_out = assigned is not None or (whole is not None and not _holds(above, lines, number))
                done = "" if left_out else self._line(line)
            out.append(done)
            if done.strip() and not done.lstrip().startswith("#"):
                above = done
        return "\n".join(out)

    def _is_shown(self) -> bool:
        """Whether the lines of here are kept: after its first turn, only those of ranges that have one more."""
        return all(scope.shown for scope in self.scopes) and (not self.turn or any(one.turns for one in self.scopes))

    def _line(self, line: str) -> str:
        """One line with its placeholders."""
        alone = _TAG.fullmatch(line.partition(":")[2].strip() or line.strip().removeprefix("- "))

        def put(found: re.Match[str]) -> str:
            value = self._value(found[1])
            written = _written(value, inside=alone is None) if value is not None else None
            if written is None:
                return found[0]
            if isinstance(value, Node):
                self.files.understand(self.chart.path, *range(value.line, value.end + 1))
            return written

        return _TAG.sub(put, line)

    def _block(self, word: str, rest: str, lines: list[str], number: int) -> None:
        if word == "end":
            if self.scopes:
                self.scopes.pop()
            return
        if word == "else":
            if self.scopes:
                self._otherwise(self.scopes[-1], rest.removeprefix("if").strip() if rest.startswith("if") else "")
            return
        context = self.scopes[-1].context if self.scopes else None
        if word == "if":
            asked = _truth(self._value(rest))
            self.scopes.append(_Scope(shown=asked is not False, decided=asked, context=context))
        elif word == "range":
            self.scopes.append(self._range(rest, lines, number))
        elif word == "with" and ":=" not in rest:
            inner = self._value(rest)
            asked = _truth(inner)
            self.scopes.append(_Scope(shown=asked is not False, decided=asked, context=inner))
        else:
            self.scopes.append(_Scope(shown=True, decided=None, context=None))

    def _inside_a_line(self, line: str) -> None:
        """Blocks that begin or end beside other text: they are kept, and only counted."""
        for word in _WORD.findall(line):
            if word != "end":
                self.scopes.append(_Scope(shown=True, decided=None, context=None))
            elif self.scopes:
                self.scopes.pop()

    def _range(self, rest: str, lines: list[str], number: int) -> _Scope:
        """A range: where it makes resources, each of its turns is followed by itself."""
        names, assigned, expression = rest.rpartition(":=")
        over = self._value(expression)
        entries: list[tuple[str, Node]] = []
        if isinstance(over, Node):
            entries = list(over.keys.items()) or [(str(index), item) for index, item in enumerate(over.items)]
        if not entries or not any(line.startswith("kind:") for line in lines[number : _end_of(lines, number)]):
            return _Scope(shown=True, decided=None, context=None)
        self.turns = max(self.turns, len(entries))
        if self.turn >= len(entries):
            return _Scope(shown=False, decided=None, context=None)
        key, entry = entries[self.turn]
        variables = [name.strip() for name in names.split(",")] if assigned else []
        if variables:
            self.variables[variables[-1]] = entry
        if len(variables) > 1:
            self.variables[variables[0]] = key
        return _Scope(shown=True, decided=None, context=entry, turns=True)

    def _otherwise(self, scope: _Scope, condition: str) -> None:
        asked = _truth(self._value(condition)) if condition else True
        scope.shown = scope.decided is not True and asked is not False
        scope.decided = True if scope.decided is True else asked if scope.decided is False else None

    def _value(self, text: str) -> Value:
        """What an expression comes to."""
        tokens = _TOKEN.findall(text)
        if len(tokens) > 100:
            return None
        value, rest = self._piped(tokens, 0)
        return value if not rest else None

    def _piped(self, tokens: list[str], depth: int) -> tuple[Value, list[str]]:
        """A pipeline up to its end, or to the parenthesis that closes it."""
        value: Value = None
        first = True
        while tokens and depth < MAX_DEPTH:
            given: list[Value] = []
            words = 0
            name = ""
            while tokens and tokens[0] not in ("|", ")"):
                token, tokens = tokens[0], tokens[1:]
                if token == "(":
                    inner, tokens = self._piped(tokens, depth + 1)
                    tokens = tokens[1:]
                    given.append(inner)
                elif not words and token[0].isalpha() and token not in ("true", "false"):
                    name = token
                else:
                    given.append(self._word(token))
                words += 1
            if not first:
                given.append(value)
            value = _applied(name, given)
            first = False
            if not tokens or tokens[0] == ")":
                break
            tokens = tokens[1:]
        return value, tokens

    def _word(self, token: str) -> Value:
        """A literal, a value's path, or the dot."""
        if token[0] in '"`':
            return token[1:-1]
        if token in ("true", "false") or re.fullmatch(r"-?\d+(?:\.\d+)?", token):
            return token
        name, dot, rest = token.partition(".")
        if name in self.variables:
            held = self.variables[name]
            return held if not dot else held.get(*rest.split(".")) if isinstance(held, Node) else None
        path = token.removeprefix("$")
        if path.startswith(".Values."):
            return self._of_values(path[8:].split("."))
        if token[0] == "." and self.scopes and isinstance(self.scopes[-1].context, Node):
            here: Node | None = self.scopes[-1].context
            return here if token == "." else here.get(*token[1:].split(".")) if here is not None else None
        return None

    def _of_values(self, path: list[str]) -> Value:
        """A value that stands in values.yaml, and that no other file sets to something else."""
        found = self.chart.values.get(*path)
        if found is None:
            return None
        for other in self.chart.others:
            theirs = other.get(*path)
            if theirs is not None and _flow(theirs) != _flow(found):
                return None
        return found


def _applied(name: str, given: list[Value]) -> Value:
    """A function's result; None where it is not known."""
    if not name:
        return given[0] if len(given) == 1 else None
    if name in ("default", "coalesce"):
        order = list(reversed(given)) if name == "default" else given
        return next((value for value in order if value is None or _truth(value)), None)
    if name in ("not", "and", "or", "eq", "ne"):
        found = _asked(name, given)
        return None if found is None else "true" if found else "false"
    if name in ("nindent", "indent", *_SAME):
        return given[-1] if given else None
    if name in ("lower", "upper") and given:
        text = _text(given[-1])
        return None if text is None else text.lower() if name == "lower" else text.upper()
    return None


def _asked(name: str, given: list[Value]) -> bool | None:
    if name in ("eq", "ne"):
        texts = [_text(value) for value in given]
        if len(texts) != 2 or None in texts:
            return None
        return (texts[0] == texts[1]) == (name == "eq")
    truths = [_truth(value) for value in given]
    if name == "not":
        return None if len(truths) != 1 or truths[0] is None else not truths[0]
    decisive = name == "or"
    return decisive if decisive in truths else None if None in truths else not decisive


def _truth(value: Value) -> bool | None:
    """Whether a template takes a value for true; None for what is not known."""
    if value is None:
        return None
    if isinstance(value, Node) and value.kind in ("map", "list"):
        return bool(value.keys or value.items)
    if isinstance(value, Node) and value.quoted:
        return bool(value.text)
    return (_text(value) or "") not in _FALSE


def _text(value: Value) -> str | None:
    """A scalar's text, None for what is none."""
    if isinstance(value, Node):
        return value.text if value.kind == "text" else "" if value.kind == "null" else None
    return value


def _without_comments(text: str) -> str:
    """The text, as many lines as before."""
    parts: list[str] = []
    done = 0
    while (at := text.find("/*", done)) >= 0 and (end := text.find("*/", at)) >= 0:
        begin = text.rfind("{{", max(done, at - 10), at)
        close = text.find("}}", end, end + 10)
        if begin < 0 or close < 0 or text[begin + 2 : at].strip("- "):
            parts.append(text[done : at + 2])
            done = at + 2
            continue
        parts += [text[done:begin], "\n" * text.count("\n", begin, close)]
        done = close + 2
    return "".join([*parts, text[done:]])


def _end_of(lines: list[str], number: int) -> int:
    """The line on which the block that a line opens is closed."""
    depth = 0
    for at in range(number, min(len(lines), number + MAX_RANGE)):
        if "{{" in lines[at]:
            words = _WORD.findall(lines[at][:MAX_LINE])
            depth += sum(-1 if word == "end" else 1 for word in words)
            if depth <= 0:
                return at
    return number + MAX_RANGE


def _holds(above: str, lines: list[str], number: int) -> bool:
    """Whether a placeholder by itself is all that the key above it holds; else it adds to others, and is left out."""
    if not above.rstrip().endswith((":", "-", "|", ">")):
        return False
    indent = len(above) - len(above.lstrip(" "))
    for line in lines[number + 1 : number + 50]:
        if line.strip() and "{{" not in line.lstrip()[:2] and not line.lstrip().startswith("#"):
            return len(line) - len(line.lstrip(" ")) <= indent
    return True


def _written(value: Node | str, *, inside: bool) -> str | None:
    """A value as it is put into a line: a collection on one line; a text in quotes where it needs them.

    Inside a text it must be one that needs none.
    """
    if isinstance(value, Node) and value.kind in ("map", "list"):
        return None if inside else _flow(value)
    text = _text(value) or ""
    unsafe = _UNSAFE.search(text) is not None
    if "{{" in text or "\n" in text or (inside and unsafe):
        return None
    quoted = not inside and (unsafe or text in ("", "~", "null"))
    return json.dumps(text, ensure_ascii=False) if quoted else text


def _flow(node: Node) -> str:
    """A node as one line of YAML."""
    if node.kind == "list":
        return f"[{', '.join(_flow(item) for item in node.items)}]"
    if node.kind == "map":
        parts = (f"{json.dumps(key, ensure_ascii=False)}: {_flow(value)}" for key, value in node.keys.items())
        return f"{{{', '.join(parts)}}}"
    return json.dumps(node.text, ensure_ascii=False) if node.kind == "text" else "null"
