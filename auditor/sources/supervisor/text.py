"""What is odd about a file's text alone: faulty lines, swallowed lines, comments that cut a value."""

from __future__ import annotations

from auditor.dialects.conf import Assignment, Block, Lexed
from auditor.facts.origin import origin
from auditor.facts.supervisor import Oddity
from auditor.patterns import late
from auditor.sources.supervisor.oddities import oddity
from auditor.sources.supervisor.vocabulary import OPTIONS, kind_of, nearest_section

_DETAIL = {
    "missing-section-header": "it stands before the first section header",
    "no-delimiter": "it has neither = nor :",
    "empty-option-name": "it has no name before its delimiter",
    "no-closing-bracket": "it looks like a section header without its ]",
}
_OPTION = late(r"([A-Za-z_][A-Za-z0-9_]*)\s*[=:]")
_TEMPLATE = late(r"\s*(?:\{%|\{\{|\{#|<%|<\?|@(?:if|else|end|for))")
_FLAG = late(r"(?:^|\s)--[A-Za-z]")
_SHELL = frozenset({"cd", "export", "sleep", "source", ".", "umask", "ulimit"})


def text_oddities(path: str, lexed: Lexed) -> list[Oddity]:
    """Everything odd about one file's text, by line."""
    found: list[Oddity] = []
    lines = lexed.lines
    if lexed.bom:
        found.append(
            oddity(
                "bom",
                "it begins with a byte order mark, which supervisord takes for text before the first section",
                origin(path, 1, lines[0] if lines else ""),
                refuses=True,
            )
        )
    if lexed.bad_byte is not None:
        line = min(lexed.bad_byte, len(lines))
        found.append(
            oddity(
                "encoding",
                "it is not UTF-8, so supervisord cannot decode it",
                origin(path, line, lines[line - 1] if line else ""),
                refuses=True,
            )
        )
    for fault in lexed.faults:
        line_text = lines[fault.line - 1]
        place = origin(path, fault.line, line_text)
        if _TEMPLATE.match(line_text):
            found.append(_template(path, fault.line, line_text))
            continue
        detail = _DETAIL[fault.kind]
        if fault.kind == "no-closing-bracket" and not fault.refused:
            detail += ", and what follows it belongs to the section above"
        found.append(oddity(fault.kind, detail, place, refuses=fault.refused, value=line_text.strip()))
    for block in lexed.blocks:
        for assignment in block.assignments:
            if assignment.more:
                found += _swallowed(path, lines, block, assignment)
            if assignment.cuts:
                found += _cut(path, lines, block, assignment)
            if not assignment.spelled[0].isalnum() and _TEMPLATE.match(assignment.spelled):
                found.append(_template(path, assignment.line, lines[assignment.line - 1]))
    return found


def _template(path: str, line: int, text: str) -> Oddity:
    return oddity(
        "template-line",
        "it is a template's line, and what it becomes is not known from here",
        origin(path, line, text),
        value=text.strip(),
    )


def _swallowed(path: str, lines: list[str], block: Block, assignment: Assignment) -> list[Oddity]:
    options = OPTIONS.get(kind_of(block.name), frozenset())
    found = []
    for number in assignment.more:
        text = lines[number - 1].strip()
        option = _OPTION.match(text)
        if option is not None:
            word = option[1]
            if word.lower() not in options or (assignment.name == "environment" and word != word.lower()):
                continue
            what = word.lower()
        elif text.startswith("[") and (close := text.rfind("]")) > 1:
            what = text[: close + 1]
            if kind_of(text[1:close]) == "unknown" and nearest_section(text[1:close]) is None:
                continue
        else:
            continue
        found.append(
            oddity(
                "swallowed-by-continuation",
                f"{what} is indented deeper than {assignment.name} above it, so it is part of that value",
                origin(path, number, lines[number - 1]),
                section=block.name,
                setting=assignment.name,
                value=what,
            )
        )
    return found


def _cut(path: str, lines: list[str], block: Block, assignment: Assignment) -> list[Oddity]:
    found = []
    open_quote = None
    if assignment.name in ("command", "environment"):
        open_quote = unclosed(assignment.value, escapes=assignment.name == "command")
    for number, column in assignment.cuts:
        line = lines[number - 1]
        cut = line[column:].strip()
        if open_quote is not None and open_quote in cut:
            why = f"the quote {open_quote} stays open"
        elif assignment.name != "command":
            continue
        elif _FLAG.search(cut[1:]):
            why = "options are lost"
        elif cut[0] == ";" and assignment.value.split(None, 1)[:1] and assignment.value.split(None, 1)[0] in _SHELL:
            why = "only the first of several shell commands is left"
        else:
            continue
        found.append(
            oddity(
                "comment-cuts-value",
                f'"{cut[0]}" after white space starts a comment, so {assignment.name} ends before it, and {why}',
                origin(path, number, line),
                section=block.name,
                setting=assignment.name,
                value=cut if assignment.name == "command" else None,  # of an environment it may be half a secret
            )
        )
    return found


def unclosed(text: str, *, escapes: bool) -> str | None:
    """The quote that is open at the end of the text, or None; `escapes`: a backslash protects, as in shlex.split."""
    if '"' not in text and "'" not in text:
        return None
    quote = None
    protected = False
    for character in text:
        if protected:
            protected = False
        elif escapes and character == "\\" and quote != "'":
            protected = True
        elif quote is not None:
            if character == quote:
                quote = None
        elif character in "\"'":
            quote = character
    return quote
