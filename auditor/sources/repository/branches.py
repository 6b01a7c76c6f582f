"""When a statement of a script runs: what its `if`, `case`, functions and earlier `exec` ask, and what a container answers.

One entrypoint often serves several containers and looks at its first argument or at a variable to tell them apart. A condition
is kept as it is written, and decided for each container by what that is given; a question that is not understood, or whose
variable is not known, stays open. Nothing is executed.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence

from auditor.sources.repository.given import MAX_DEPTH, Given

MAX_OPEN = 100
"""In a script with more constructs, or functions that call each other, in each other than that, nothing is known any more."""
MAX_PARTS = 200
"""More branches of one construct, and more places where a script may end, are not told apart."""

_KEYWORD = re.compile(r"(if|elif|then|else|fi|case|esac|for|while|until|select|do|done|\{|\}|!)(?=[\s;({!]|$)\s*")
_FUNCTION = re.compile(
    r"(?:function\s+)?([A-Za-z_][\w:-]*)\s*\(\s*\)\s*(\{)?\s*|function\s+([A-Za-z_][\w:-]*)\s*(\{)?\s*"
)
_CASE = re.compile(r"(\"[^\"]*\"|'[^']*'|\S+)\s+in\b\s*")
_LABEL = re.compile(r"\(?\s*([^()]{1,200}?)\s*\)\s*")
_TEST = re.compile(r"(?:\[\[\s(?P<double>.*)\s\]\]|\[\s(?P<single>.*)\s\]|test\s(?P<word>.*))$", re.DOTALL)
_WORDS = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^\s\"']+")
_ASSIGNED = re.compile(
    r"(?:export\s+|local\s+|readonly\s+|declare\s+(?:-\w+\s+)*)?([A-Za-z_]\w*)=(\"[^\"]*\"|'[^']*'|\S*)\s*$"
)
_DEFAULT = re.compile(r":\s+\"?\$\{([A-Za-z_]\w*)(:?=[^{}]*)\}\"?\s*$")
_ENDS = re.compile(r"exec\s+(?![\d<>&])|exit\s*(?:0\s*)?$|return\s*(?:0\s*)?$")
_ALTERNATIVES = re.compile(r"\^\(?([\w|-]+)\)?\$$")


class When:
    """A condition; this one always holds."""

    def holds(self, given: Given) -> bool | None:
        """Whether it does in a container; None where that cannot be known."""
        if id(self) not in given.answers:
            if given.depth > MAX_OPEN:
                return None
            given.depth += 1
            given.answers[id(self)] = False  # a function that only it calls itself is never called
            given.answers[id(self)] = self.decide(given)
            given.depth -= 1
        return given.answers[id(self)]

    def decide(self, _given: Given) -> bool | None:
        """Its answer, worked out anew."""
        return True


class _Open(When):
    """A question that is not understood."""

    def decide(self, _given: Given) -> bool | None:
        return None


ALWAYS = When()
OPEN = _Open()


class _Matches(When):
    def __init__(self, subject: str, patterns: Sequence[str], inside: bool) -> None:
        self.subject, self.patterns, self.inside = subject, patterns, inside

    def decide(self, given: Given) -> bool | None:
        if self.inside and re.search(r"\$\{?[\d@*#]", self.subject):
            return None  # a function's own arguments
        value = given.value(self.subject)
        patterns = [given.value(pattern) for pattern in self.patterns]
        if value is not None and any(p is not None and fnmatch.fnmatchcase(value, p) for p in patterns):
            return True
        return None if value is None or None in patterns else False


class _Not(When):
    def __init__(self, other: When) -> None:
        self.other = other

    def decide(self, given: Given) -> bool | None:
        found = self.other.holds(given)
        return None if found is None else not found


class _Unless(When):
    """Not after a script has ended; one that may have ended goes on."""

    def __init__(self, other: When) -> None:
        self.other = other

    def decide(self, given: Given) -> bool | None:
        return self.other.holds(given) is not True


class _All(When):
    def __init__(self, parts: Sequence[When]) -> None:
        self.parts = parts

    def decide(self, given: Given) -> bool | None:
        found = [part.holds(given) for part in self.parts]
        return False if False in found else None if None in found else True


class _Called(When):
    """Where a function is called; the list grows while the script is read."""

    def __init__(self, calls: list[When]) -> None:
        self.calls = calls

    def decide(self, given: Given) -> bool | None:
        found = [call.holds(given) for call in self.calls]
        return True if True in found else None if None in found or not found else False


def _all(*parts: When) -> When:
    kept = [part for part in parts if part is not ALWAYS]
    return kept[0] if len(kept) == 1 else _All(kept) if kept else ALWAYS


class _Frame:
    """One construct that is open."""

    __slots__ = ("earlier", "guards", "kind", "now", "subject", "testing", "tests")

    def __init__(self, kind: str, now: When = ALWAYS, subject: str = "") -> None:
        self.kind = kind
        self.now = now
        self.subject = subject
        """What a `case` looks at; a function's name."""
        self.earlier: list[When] = []
        """That none of the branches before is taken."""
        self.guards: list[When] = []
        """For a function and the script itself: that it has not ended before."""
        self.testing = kind == "if"
        self.tests: list[When] = []

    def enter(self, asked: When) -> None:
        """Its next branch: it is taken where its own question is answered with yes, and all those before with no."""
        if len(self.earlier) >= MAX_PARTS:
            self.now = OPEN
            return
        self.now = _all(asked, *self.earlier)
        self.earlier.append(_Not(asked))


class Branches:
    """Follows a script, statement by statement, through its constructs."""

    def __init__(self) -> None:
        """At its beginning."""
        self.frames = [_Frame("script")]
        self.assigned: dict[str, str | None] = {}
        """Variables it sets once and for all, None for one that is set in several ways."""
        self.shifted = False
        """Whether its arguments are moved, so that a number means another one from then on."""
        self._calls: dict[str, list[When]] = {}
        """First words of commands, and under which conditions each is run: any of them may be a function's name."""
        self._ends: dict[str, list[When]] = {}
        """Functions that may end the script, and under which conditions."""
        self._chain: When = ALWAYS
        self._chained = ""

    def take(self, text: str, operator: str) -> When:
        """The condition under which a statement runs; `operator` is what joins it to the next one."""
        text = self._constructs(text)
        if len(self.frames) > MAX_OPEN:
            return OPEN
        top = self.frames[-1]
        if top.testing:
            top.tests.append(OPEN if operator == "||" else self._asked(text))
            return self._now()
        when = _all(self._now(), self._chain)
        self._simple(text, when)
        self._join(text, operator)
        return when

    def _now(self) -> When:
        parts: list[When] = []
        for frame in self.frames:
            parts += [frame.now, *frame.guards]
        return _all(*parts)

    def _join(self, text: str, operator: str) -> None:
        """What `&&` and `||` make of the next statement; only a test's answer decides, a command is taken to succeed."""
        if operator not in ("&&", "||"):
            self._chain, self._chained = ALWAYS, ""
            return
        if _TEST.match(text) is not None:
            asked = self._asked(text)
            asked = asked if operator == "&&" else _Not(asked)
            mixed = self._chained not in ("", operator)
            self._chain = OPEN if mixed else _all(self._chain, asked)
        self._chained = operator

    def _simple(self, text: str, when: When) -> None:
        """Take in what a plain command does to those behind it."""
        default = _DEFAULT.match(text)
        found = default or _ASSIGNED.match(text)
        if found is not None:
            name = found[1]
            # What a function sets for itself stands by the time that the rest of it is run.
            own = text.startswith("local ") and self.frames[-1].kind == "function" and self._chain is ALWAYS
            once = name not in self.assigned and (when is ALWAYS or own)
            self.assigned[name] = (f"${{{name}{found[2]}}}" if default else found[2]) if once else None
        word = text.partition(" ")[0]
        calls = self._calls.setdefault(word, [])
        if len(calls) < MAX_PARTS:
            calls.append(when)
        if word == "shift" or text.startswith("set -- "):
            self.shifted = True
        if _ENDS.match(text):
            self._end(when, leaves=text.startswith("return"))
        for inner in self._ends.get(word, ()):
            self._end(_all(when, inner), leaves=False)

    def _end(self, when: When, *, leaves: bool) -> None:
        """The script ends here, or only the function that is being defined."""
        at = next(n for n in reversed(range(len(self.frames))) if self.frames[n].kind in ("script", "function"))
        holder = self.frames[at]
        if len(holder.guards) >= MAX_PARTS:
            return
        if holder.kind == "function" and not leaves:
            inner = _all(*(frame.now for frame in self.frames[at + 1 :]), *holder.guards)
            self._ends.setdefault(holder.subject, []).append(inner)
        holder.guards.append(_Unless(when))

    def _constructs(self, text: str) -> str:
        """Follow the words of constructs at the beginning of a statement; what is left is a plain command."""
        for _ in range(MAX_DEPTH if len(self.frames) <= MAX_OPEN else 0):
            top = self.frames[-1]
            if top.kind == "case" and (label := _LABEL.match(text)) is not None and not text.startswith("esac"):
                patterns = [pattern.strip() for pattern in label[1].split("|")]
                top.enter(_Matches(top.subject, patterns, self._inside()))
                text = text[label.end() :]
                continue
            function = _FUNCTION.match(text)
            if function is not None:
                name = function[1] or function[3]
                called = _Called(self._calls.setdefault(name, []))
                self.frames.append(_Frame("function" if function[2] or function[4] else "header", called, name))
                text = text[function.end() :]
                continue
            found = _KEYWORD.match(text)
            if found is None:
                return text
            text = text[found.end() :]
            text = self._word(found[1], text)
        return text

    def _word(self, word: str, rest: str) -> str:
        top = self.frames[-1]
        if word in ("if", "for", "while", "until", "select"):
            self.frames.append(_Frame("if" if word == "if" else "loop"))
            return rest if word == "if" else ""
        if word == "case":
            found = _CASE.match(rest)
            self.frames.append(_Frame("case", OPEN, found[1] if found is not None else "$(unknown)"))
            return rest[found.end() :] if found is not None else ""
        if word == "{":
            if top.kind == "header":
                top.kind = "function"
            else:
                self.frames.append(_Frame("group"))
        elif word in ("}", "fi", "esac", "done"):
            closes = {"}": ("group", "function"), "fi": ("if",), "esac": ("case",), "done": ("loop",)}[word]
            if top.kind in closes:
                self.frames.pop()
        elif word in ("then", "elif", "else") and top.kind == "if":
            self._branch(top, word)
        return rest

    def _branch(self, top: _Frame, word: str) -> None:
        if word == "then":
            asked = OPEN if OPEN in top.tests or not top.tests else _all(*top.tests)
            top.enter(asked)
            top.testing = False
        elif word == "elif":
            top.testing, top.tests = True, []
        else:
            top.enter(ALWAYS)

    def _inside(self) -> bool:
        return any(frame.kind in ("function", "header") for frame in self.frames)

    def _asked(self, text: str) -> When:
        """What a test asks; OPEN where it asks about files, numbers or another command."""
        found = _TEST.match(text)
        if found is None:
            return OPEN
        inner = next(part for part in found.groups() if part is not None)
        words = _WORDS.findall(inner)
        negated = bool(words) and words[0] == "!"
        words = words[negated:]
        asked: When = OPEN
        if len(words) == 3 and words[1] in ("=", "==", "!="):
            right = words[2] if found["double"] is not None or words[2][:1] in "\"'" else f"'{words[2]}'"
            if "$" in words[2]:
                right = words[2]
            asked = _Matches(words[0], [right], self._inside())
            asked = _Not(asked) if words[1] == "!=" else asked
        elif len(words) == 3 and words[1] == "=~" and (either := _ALTERNATIVES.match(words[2])) is not None:
            asked = _Matches(words[0], either[1].split("|"), self._inside())
        elif len(words) == 2 and words[0] in ("-z", "-n"):
            empty = _Matches(words[1], ["''"], self._inside())
            asked = empty if words[0] == "-z" else _Not(empty)
        return _Not(asked) if negated and asked is not OPEN else asked
