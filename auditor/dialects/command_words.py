"""Command lines cut into words: as supervisor cuts them for execve, and as a POSIX shell reads them.

Every character of a word knows where it stands in the text the command was written in, through any number of shells
inside shells, so that whoever mends a command changes that place and nothing else. What only a run would tell (a
template's `{{ x }}`, supervisor's `%(ENV_X)s`, a shell's `$X`) is a hole: it stands in a word as so many private
characters and is shown as it was written.
"""

from __future__ import annotations

from collections.abc import Sequence

from auditor.patterns import late

MAX_TEXT = 65_536
"""No longer command is cut: the kernel itself takes no more than 128 KiB in one argument."""
MAX_DEPTH = 24
"""No deeper nesting of shell lists is followed."""

_FIRST_HOLE = 0xF0000
_LAST_HOLE = 0xFFFFD
_PRIVATE = late("[\U000f0000-\U000ffffd]")
_HOLE_RUN = late("([\U000f0000-\U000ffffd])\\1*")

_TEMPLATE = late(
    r"%\([^()\s]{1,128}\)[-#0 +]*\d{0,4}(?:\.\d{1,4})?[a-zA-Z]"  # supervisor's %(ENV_X)s
    r"|\{\{|\{%|<%|<\?"  # Jinja, Blade, Helm; ERB; PHP
    r"|%%[A-Za-z_]\w{0,64}%%|@@?[A-Z_][A-Z0-9_]{1,64}@@?"  # configure's and deployment tools' own
    r"|<[A-Za-z_][\w.-]{0,64}>(?![\w<>])|\#[A-Za-z][\w-]{0,64}\#"  # what a person is to fill in
)
_CLOSE = {"{{": "}}", "{%": "%}", "<%": "%>", "<?": "?>"}
_VARIABLE = late(r"\$(?:\{[^{}\s]{1,256}\}|[A-Za-z_]\w*)")


def clipped(text: str) -> str:
    """The text, cut to a length that a sentence can hold."""
    return text if len(text) <= 60 else text[:57] + "…"


class Refused(Exception):
    """The text is no command; its one sentence says why, as a clause without a full stop."""


class Beyond(Exception):
    """The text is more of a shell program than is followed here; its clause says what."""


class Word:
    """One word of a command."""

    __slots__ = ("at", "continued", "end", "expanded", "start", "value")

    def __init__(
        self, value: str, at: Sequence[int], start: int, end: int, *, expanded: bool, continued: bool = False
    ) -> None:
        """See the fields."""
        self.value = value
        """What the program receives; holes as private characters (see Text.shown)."""
        self.at = at
        """Where each character of the value stands in the text; "\\n" of an escape where the escape does."""
        self.start = start
        """Where it begins in the text, quotes included."""
        self.end = end
        """Where it ends in the text, quotes included."""
        self.expanded = expanded
        """Whether a shell has expanded it, so that a `$X` still in it is only these two characters."""
        self.continued = continued
        """Whether it holds a line end that a backslash was to take away."""


class Text:
    """A command's text with its holes."""

    def __init__(self, text: str) -> None:
        """Find the holes that templates leave, whatever reads the rest."""
        self.source = text
        """The text as it is written."""
        self.holes: list[str] = []
        """What stands in each hole."""
        self.masked = self._mask(_PRIVATE.sub("\ufffd", text))
        """The text, as long as the source, each template's hole as private characters."""

    def hole(self, text: str) -> str:
        """A private character for a new hole in which this text stands."""
        number = len(self.holes)
        if _FIRST_HOLE + number > _LAST_HOLE:
            raise Beyond("it holds too many variables")
        self.holes.append(text)
        return chr(_FIRST_HOLE + number)

    def _mask(self, text: str) -> str:
        parts: list[str] = []
        done = 0
        unclosed: set[str] = set()
        while match := _TEMPLATE.search(text, done):
            start, end = match.span()
            parts.append(text[done:start])
            close = _CLOSE.get(match[0])
            if close is not None:
                found = -1 if close in unclosed else text.find(close, end)
                if found < 0:
                    unclosed.add(close)
                    parts.append(match[0])
                    done = end
                    continue
                end = found + 2
            parts.append(self.hole(text[start:end]) * (end - start))
            done = end
        parts.append(text[done:])
        return "".join(parts)

    def shown(self, value: str) -> str:
        """The value with each hole as it is written."""
        if value.isascii() or not _PRIVATE.search(value):
            return value
        return _HOLE_RUN.sub(lambda run: self.holes[ord(run[1]) - _FIRST_HOLE], value)

    def unknowns(self, word: Word | str) -> list[str]:
        """What stands in the word's holes, in order; with an unexpanded `$X` of a word no shell has seen."""
        if isinstance(word, str):
            value, expanded = word, True
        else:
            value, expanded = word.value, word.expanded
        found: list[str] = (
            [] if value.isascii() else [self.holes[ord(run[1]) - _FIRST_HOLE] for run in _HOLE_RUN.finditer(value)]
        )
        if not expanded and "$" in value:
            found += _VARIABLE.findall(value)
        return found

    def is_hole(self, word: Word) -> bool:
        """Whether the word is one hole and nothing else."""
        value = word.value
        if not value:
            return False
        run = _HOLE_RUN.match(value)
        if run is not None:
            return run.end() == len(value)
        if not word.expanded and value[0] == "$":
            variable = _VARIABLE.match(value)
            return variable is not None and variable.end() == len(value)
        return False


# --- as supervisor cuts it: Python's shlex.split -----------------------------------------------------------------

_RUN = late(r"[^ \t\r\n'\"\\]+")
_IN_DOUBLE = late(r'[^"\\]+')


def cut_for_execve(chars: str, at: Sequence[int] | None = None) -> list[Word]:
    """The words as `shlex.split(chars)` gives them.

    `at` tells where each character stands in the source. Raises Refused with shlex's own words.
    """
    if at is None:
        at = range(len(chars))
    words: list[Word] = []
    length = len(chars)
    i = 0
    while True:
        while i < length and chars[i] in " \t\r\n":
            i += 1
        if i >= length:
            return words
        start = i
        run = _RUN.match(chars, i)
        if run is not None and ((i := run.end()) == length or chars[i] in " \t\r\n"):  # no quotes: nearly every word
            words.append(Word(run[0], at[start:i], at[start], at[i - 1] + 1, expanded=False))
            continue
        i = start
        parts: list[str] = []
        places: list[int] = []
        continued = False
        while i < length and chars[i] not in " \t\r\n":
            char = chars[i]
            if char == "'":
                close = chars.find("'", i + 1)
                if close < 0:
                    raise Refused("No closing quotation")
                parts.append(chars[i + 1 : close])
                places.extend(at[i + 1 : close])
                i = close + 1
            elif char == '"':
                i = _double(chars, at, i + 1, parts, places)
            elif char == "\\":
                if i + 1 >= length:
                    raise Refused("No escaped character")
                continued = continued or chars[i + 1] in "\r\n"
                parts.append(chars[i + 1])
                places.append(at[i + 1])
                i += 2
            else:
                run = _RUN.match(chars, i)
                assert run is not None
                parts.append(run[0])
                places.extend(at[i : run.end()])
                i = run.end()
        words.append(Word("".join(parts), places, at[start], at[i - 1] + 1, expanded=False, continued=continued))


def _double(chars: str, at: Sequence[int], i: int, parts: list[str], places: list[int]) -> int:
    """Read on inside shlex's double quotes; only a quote or a backslash can be escaped there."""
    length = len(chars)
    while i < length:
        char = chars[i]
        if char == '"':
            return i + 1
        if char == "\\":
            if i + 1 >= length:
                raise Refused("No escaped character")
            if chars[i + 1] not in '"\\':
                parts.append("\\")
                places.append(at[i])
            parts.append(chars[i + 1])
            places.append(at[i + 1])
            i += 2
            continue
        run = _IN_DOUBLE.match(chars, i)
        assert run is not None
        parts.append(run[0])
        places.extend(at[i : run.end()])
        i = run.end()
    raise Refused("No closing quotation")


# --- as a shell reads it -----------------------------------------------------------------------------------------


class Simple:
    """One simple command of a shell list: its words, expanded as far as that needs no run."""

    __slots__ = ("redirects", "words")

    def __init__(self, words: list[Word], redirects: list[tuple[str, Word]]) -> None:
        """See the fields."""
        self.words = words
        """Assignments, then the command and its arguments."""
        self.redirects = redirects
        """Operator (">", "2>>", "2>&"…) and target of each redirection, in order."""


class Pipeline:
    """Commands joined by `|`."""

    __slots__ = ("commands", "negated")

    def __init__(self, commands: list[Node], negated: bool) -> None:
        """See the fields."""
        self.commands = commands
        """At least one."""
        self.negated = negated
        """Whether `!` or `time` stands before it."""


class Listing:
    """Pipelines in order, each with the operator before it ("", ";", "&&", "||") and whether `&` follows it."""

    __slots__ = ("items",)

    def __init__(self, items: list[tuple[str, Pipeline, bool]]) -> None:
        """See the field."""
        self.items = items
        """Operator before, pipeline, in the background."""


class Compound:
    """`( … )`, `{ … }`, `if`, `while`, `until` or `for`."""

    __slots__ = ("kind", "lists", "redirects")

    def __init__(self, kind: str, lists: list[Listing], redirects: list[tuple[str, Word]]) -> None:
        """See the fields."""
        self.kind = kind
        """"(", "{", "if", "while", "until", "for"."""
        self.lists = lists
        """The lists inside, conditions first."""
        self.redirects = redirects
        """Redirections of the whole."""


Node = Simple | Compound

_Token = tuple[str, Word | None, int]
"""Kind ("word", "io", or the operator itself), the word, and where it stands in `chars`."""

_OPERATOR = late(r"&&|\|\||;;&?|;&|\|&|&>>?|<<<|<<-?|<>|<&|>&|>>|>\||[;&|()<>\n]")
_SHELL_RUN = late(r"[^\s'\"\\$`;&|()<>*?~{#]+")
_IN_SHELL_DOUBLE = late(r'[^"\\$`]+')
_NAME = late(r"[A-Za-z_]\w*|[0-9@*#?!$-]")
_BRACES = late(r"\{[^{}\s'\"$`;&|()<>\\]*(?:,|\.\.)[^{}\s'\"$`;&|()<>\\]*\}")
_TILDE = late(r"~[\w.-]*(?=[/\s;&|:)]|$)")
_REDIRECTS = frozenset({">", ">>", ">|", "<", "<>", "<&", ">&", "&>", "&>>", "<<<"})


class _ShellLexer:
    """Words and operators of one shell text."""

    def __init__(self, text: Text, chars: str, at: Sequence[int]) -> None:
        self.text = text
        self.chars = chars
        self.at = at
        self.tokens: list[_Token] = []
        self._parts: list[str] = []
        self._places: list[int] = []

    def run(self) -> list[_Token]:
        chars, length = self.chars, len(self.chars)
        i = 0
        while i < length:
            char = chars[i]
            if char in " \t\r":
                i += 1
            elif char == "\\" and chars[i + 1 : i + 2] == "\n":
                i += 2
            elif char == "#":
                end = chars.find("\n", i)
                i = length if end < 0 else end
            elif match := _OPERATOR.match(chars, i):
                if match[0] in ("<<", "<<-"):
                    raise Beyond("it holds a here-document")
                if match[0] in ("<", ">") and chars[i + 1 : i + 2] == "(":
                    raise Beyond("it holds a process substitution")
                self.tokens.append((match[0], None, i))
                i = match.end()
            else:
                i = self._word(i)
        return self.tokens

    def _add(self, value: str, start: int, end: int) -> None:
        self._parts.append(value)
        self._places.extend(self.at[start:end])

    def _hole(self, start: int, end: int) -> int:
        shown = self.text.shown(self.chars[start:end])
        self._add(self.text.hole(shown) * (end - start), start, end)
        return end

    def _word(self, i: int) -> int:
        chars, length = self.chars, len(self.chars)
        start = i
        self._parts = []
        self._places = []
        bare = True
        while i < length:
            char = chars[i]
            if char in " \t\r\n;&|()<>":
                break
            if char == "'":
                bare = False
                close = chars.find("'", i + 1)
                if close < 0:
                    raise Refused("a single quote is not closed")
                self._add(chars[i + 1 : close], i + 1, close)
                i = close + 1
            elif char == '"':
                bare = False
                i = self._double(i + 1)
            elif char == "\\":
                bare = False
                if i + 1 >= length:
                    self._add("\\", i, i + 1)
                elif chars[i + 1] != "\n":
                    self._add(chars[i + 1], i + 1, i + 2)
                i += 2
            elif char == "$":
                i = self._dollar(i, quoted=False)
            elif char == "`":
                i = self._hole(i, self._backtick(i))
            elif char in "*?~{" and (end := self._pattern(i, start)):
                i = self._hole(i, end)
            elif match := _SHELL_RUN.match(chars, i):
                self._add(match[0], i, match.end())
                i = match.end()
            else:
                self._add(char, i, i + 1)
                i += 1
        i = min(i, length)
        value = "".join(self._parts)
        word = Word(value, self._places, self.at[start], self.at[i - 1] + 1, expanded=True)
        kind = "word" if not bare else "bare"
        if bare and value.isdigit() and i < length and chars[i] in "<>":
            kind = "io"
        self.tokens.append((kind, word, start))
        return i

    def _pattern(self, i: int, start: int) -> int:
        """Where what a shell expands without a `$` ends; 0 where it is nothing of that kind."""
        char = self.chars[i]
        if char in "*?":
            return i + 1
        if char == "~" and i != start and self.chars[i - 1] not in "=:":
            return 0
        match = (_TILDE if char == "~" else _BRACES).match(self.chars, i)
        return match.end() if match is not None else 0

    def _double(self, i: int) -> int:
        chars, length = self.chars, len(self.chars)
        while i < length:
            char = chars[i]
            if char == '"':
                return i + 1
            if char == "\\" and i + 1 < length and chars[i + 1] in '$`"\\\n':
                if chars[i + 1] != "\n":
                    self._add(chars[i + 1], i + 1, i + 2)
                i += 2
            elif char == "$":
                i = self._dollar(i, quoted=True)
            elif char == "`":
                i = self._hole(i, self._backtick(i))
            elif match := _IN_SHELL_DOUBLE.match(chars, i):
                self._add(match[0], i, match.end())
                i = match.end()
            else:
                self._add(char, i, i + 1)
                i += 1
        raise Refused("a double quote is not closed")

    def _dollar(self, i: int, *, quoted: bool) -> int:
        chars = self.chars
        following = chars[i + 1 : i + 2]
        if following == "(":
            return self._hole(i, self._closing(i + 1, "(", ")"))
        if following == "{":
            return self._hole(i, self._closing(i + 1, "{", "}"))
        if following == "'" and not quoted:
            close = chars.find("'", i + 2)
            while close > 0 and chars[close - 1] == "\\":
                close = chars.find("'", close + 1)
            if close < 0:
                raise Refused("a single quote is not closed")
            return self._hole(i, close + 1)
        if following == '"' and not quoted:  # bash's translated string: the string itself
            return i + 1
        match = _NAME.match(chars, i + 1)
        if match is not None:
            return self._hole(i, match.end())
        self._add("$", i, i + 1)
        return i + 1

    def _backtick(self, i: int) -> int:
        chars = self.chars
        close = chars.find("`", i + 1)
        while close > 0 and chars[close - 1] == "\\":
            close = chars.find("`", close + 1)
        if close < 0:
            raise Refused("a backtick is not closed")
        return close + 1

    def _closing(self, i: int, opening: str, closing: str) -> int:
        """Just behind the bracket that closes the one at i, quotes respected."""
        chars, length = self.chars, len(self.chars)
        depth = 0
        while i < length:
            char = chars[i]
            if char == "\\":
                i += 2
                continue
            if char == "'":
                i = chars.find("'", i + 1)
                if i < 0:
                    raise Refused("a single quote is not closed")
            elif char == '"':
                i += 1
                while i < length and chars[i] != '"':
                    i += 2 if chars[i] == "\\" else 1
            elif char == opening:
                depth += 1
            elif char == closing:
                depth -= 1
                if depth == 0:
                    return i + 1
            i += 1
        raise Refused(f'a "{opening}" is not closed')


_RESERVED_ENDS = frozenset({"then", "else", "elif", "fi", "do", "done", "}", "esac"})
_UNFOLLOWED = {"case": "a case", "function": "a function", "select": "a select menu", "coproc": "a coprocess"}


class _ShellParser:
    """Lists, pipelines and compounds out of one text's tokens."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.i = 0

    def whole(self) -> Listing:
        found = self._list(0)
        if self.i < len(self.tokens):
            raise Refused(f'a "{self._shown()}" stands where no command can begin')
        return found

    def _shown(self) -> str:
        kind, word, _ = self.tokens[self.i]
        return word.value if word is not None else ("line end" if kind == "\n" else kind)

    def _peek(self, ahead: int = 0) -> str:
        place = self.i + ahead
        return self.tokens[place][0] if place < len(self.tokens) else ""

    def _reserved(self) -> str:
        """The bare word a command would begin with, for reserved words are only that there."""
        if self.i < len(self.tokens):
            kind, word, _ = self.tokens[self.i]
            if kind == "bare" and word is not None:
                return word.value
        return ""

    def _newlines(self) -> None:
        while self._peek() == "\n":
            self.i += 1

    def _list(self, depth: int) -> Listing:
        if depth > MAX_DEPTH:
            raise Beyond("its lists are nested too deeply")
        items: list[tuple[str, Pipeline, bool]] = []
        operator = ""
        self._newlines()
        while self.i < len(self.tokens) and self._peek() != ")" and self._reserved() not in _RESERVED_ENDS:
            pipeline = self._pipeline(depth)
            following = self._peek()
            items.append((operator, pipeline, following == "&"))
            if following in ("&&", "||"):
                operator = following
                self.i += 1
                self._newlines()
                if self.i >= len(self.tokens):
                    raise Refused(f'nothing follows "{operator}"')
            elif following in (";", "&", "\n"):
                operator = ";"
                self.i += 1
                self._newlines()
            elif following and following != ")":
                raise Refused(f'a "{self._shown()}" stands where a command must end')
            else:
                break
        return Listing(items)

    def _pipeline(self, depth: int) -> Pipeline:
        negated = False
        while self._reserved() in ("!", "time"):
            negated = True
            self.i += 1
        commands = [self._command(depth)]
        while self._peek() in ("|", "|&"):
            self.i += 1
            self._newlines()
            commands.append(self._command(depth))
        return Pipeline(commands, negated)

    def _expect(self, word: str) -> None:
        if self._reserved() != word:
            raise Refused(f'"{word}" is missing')
        self.i += 1

    def _command(self, depth: int) -> Node:
        first = self._reserved()
        if first in _UNFOLLOWED:
            raise Beyond(f"it holds {_UNFOLLOWED[first]}")
        if self._peek() == "(":
            if self._peek(1) == "(":
                raise Beyond("it holds an arithmetic command")
            self.i += 1
            inner = self._list(depth + 1)
            if self._peek() != ")":
                raise Refused('a "(" is not closed')
            self.i += 1
            return Compound("(", [inner], self._redirects())
        if first == "{":
            self.i += 1
            inner = self._list(depth + 1)
            self._expect("}")
            return Compound("{", [inner], self._redirects())
        if first in ("while", "until"):
            self.i += 1
            condition = self._list(depth + 1)
            self._expect("do")
            body = self._list(depth + 1)
            self._expect("done")
            return Compound(first, [condition, body], self._redirects())
        if first == "for":
            return self._for(depth)
        if first == "if":
            return self._if(depth)
        if first == "[[":
            return self._test()
        return self._simple()

    def _for(self, depth: int) -> Compound:
        self.i += 1
        while self.i < len(self.tokens) and self._reserved() != "do":
            if self._peek() not in ("word", "bare", ";", "\n"):
                raise Beyond("it holds an arithmetic for")
            self.i += 1
        self._expect("do")
        body = self._list(depth + 1)
        self._expect("done")
        return Compound("for", [body], self._redirects())

    def _if(self, depth: int) -> Compound:
        self.i += 1
        lists = [self._list(depth + 1)]
        self._expect("then")
        lists.append(self._list(depth + 1))
        while self._reserved() == "elif":
            self.i += 1
            lists.append(self._list(depth + 1))
            self._expect("then")
            lists.append(self._list(depth + 1))
        if self._reserved() == "else":
            self.i += 1
            lists.append(self._list(depth + 1))
        self._expect("fi")
        return Compound("if", lists, self._redirects())

    def _test(self) -> Simple:
        words: list[Word] = []
        while self.i < len(self.tokens):
            _, word, _ = self.tokens[self.i]
            self.i += 1
            if word is not None:
                words.append(word)
                if word.value == "]]":
                    return Simple(words, self._redirects())
        raise Refused('a "[[" is not closed')

    def _redirects(self) -> list[tuple[str, Word]]:
        found: list[tuple[str, Word]] = []
        while self._redirect(found):
            pass
        return found

    def _redirect(self, found: list[tuple[str, Word]]) -> bool:
        start = self.i
        number = ""
        if self._peek() == "io":
            word = self.tokens[self.i][1]
            number = word.value if word is not None else ""
            self.i += 1
        operator = self._peek()
        if operator not in _REDIRECTS:
            self.i = start
            return False
        self.i += 1
        target = self.tokens[self.i][1] if self.i < len(self.tokens) else None
        if target is None:
            raise Refused(f'nothing follows "{operator}"')
        self.i += 1
        found.append((number + operator, target))
        return True

    def _simple(self) -> Simple:
        words: list[Word] = []
        redirects: list[tuple[str, Word]] = []
        while self.i < len(self.tokens):
            kind, word, _ = self.tokens[self.i]
            if kind in ("word", "bare") and word is not None:
                words.append(word)
                self.i += 1
            elif kind == "(" and len(words) == 1 and self._peek(1) == ")":
                raise Beyond("it holds a function")
            elif not self._redirect(redirects):
                break
        if not words and not redirects:
            where = f'a "{self._shown()}" stands' if self.i < len(self.tokens) else "it ends"
            raise Refused(f"{where} where a command must begin")
        return Simple(words, redirects)


def read_shell(text: Text, chars: str, at: Sequence[int] | None = None) -> Listing:
    """The commands of a shell text.

    `at` tells where each character stands in the source. Raises Refused for what no shell takes, Beyond for what is
    not followed here.
    """
    tokens = _ShellLexer(text, chars, range(len(chars)) if at is None else at).run()
    return _ShellParser(tokens).whole()
