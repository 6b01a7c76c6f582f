"""Dockerfiles and other people's YAML, read with their lines."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.dialects.dockerfile import expand, is_dockerfile, pairs, parse
from auditor.dialects.yaml_lines import MAX_DEPTH, Node, documents, load

INSTRUCTIONS = [
    ("FROM php:8.3\nUSER www-data\n", [("from", 1, 1), ("user", 2, 2)]),
    ("RUN a \\\n  && b\nUSER x\n", [("run", 1, 2), ("user", 3, 3)]),
    ("RUN a \\\n# a remark\n\n  && b\nUSER x\n", [("run", 1, 4), ("user", 5, 5)]),
    ("# escape=`\nRUN a `\n  && b\nUSER x\n", [("run", 2, 3), ("user", 4, 4)]),
    ("COPY <<EOF /etc/x.conf\n[program:x]\nUSER y\nEOF\nUSER z\n", [("copy", 1, 4), ("user", 5, 5)]),
    ("COPY <<EOF /etc/x.conf\nUSER y\n", [("copy", 1, 1), ("user", 2, 2)]),
    ("\ufeffFROM x\r\nUSER y\r\n", [("from", 1, 1), ("user", 2, 2)]),
]


@pytest.mark.parametrize(("text", "wanted"), INSTRUCTIONS)
def test_instructions_and_their_lines(text: str, wanted: list[tuple[str, int, int]]) -> None:
    """Continued lines, remarks inside them and here-documents belong to one instruction."""
    assert [(one.name, one.line, one.end) for one in parse(text)] == wanted


def test_a_piece_of_a_continued_line_knows_its_own() -> None:
    """An offset in the joined text leads back to the line it was written on."""
    (run,) = parse("RUN first \\\n  && second \\\n  && third\n")

    assert [run.line_of(run.text.index(word)) for word in ("first", "second", "third")] == [1, 2, 3]


def test_json_form_and_shell_form() -> None:
    """A list of texts is the JSON form; anything else that begins with a bracket is a shell's text."""
    texts = ['CMD ["php", "artisan"]', "CMD php artisan", "CMD [php, artisan]", "CMD [1]"]

    assert [parse(text)[0].words for text in texts] == [["php", "artisan"], None, None, None]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("ENV QUEUE_DRIVER sync", [("QUEUE_DRIVER", "sync")]),
        ('ENV A=1 B=\'two words\' C="x\\"y"', [("A", "1"), ("B", "two words"), ("C", 'x"y')]),
        ("ENV A=1 \\\n    B=2", [("A", "1"), ("B", "2")]),
        ("ARG UID=1000", [("UID", "1000")]),
        ("ARG UID", []),
        ("ENV", []),
    ],
)
def test_pairs(text: str, wanted: list[tuple[str, str]]) -> None:
    """ENV has two forms; an ARG without a default sets nothing."""
    assert [(name, value) for name, value, _ in pairs(parse(text)[0])] == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("$A/x", "1/x"),
        ("${A}", "1"),
        ("${B:-2}", "2"),
        ("${A:+3}", "3"),
        ("${B:+3}", ""),
        ("$B", None),
        ("\\$B", "$B"),
        ("plain", "plain"),
    ],
)
def test_variables(text: str, wanted: str | None) -> None:
    """What is not known makes the whole unknown."""
    assert expand(text, {"A": "1"}) == wanted


def test_names() -> None:
    """Names people give Dockerfiles, and names that only look like one."""
    assert all(is_dockerfile(name) for name in ("Dockerfile", "Dockerfile.prod", "php.Dockerfile", "Containerfile"))
    assert not any(is_dockerfile(name) for name in ("Dockerfile.md", "dockerfile.yml", "docker-compose.yml"))


@given(st.text(alphabet="FROMUNCPYD abc\\\n<\"'[]#`=${}-EOF\t\r\x00", max_size=300))
@settings(deadline=None, max_examples=300)
def test_any_text_is_read_in_order(text: str) -> None:
    """Instructions never overlap, never leave the text, and never make the reader raise."""
    lines = text.replace("\r\n", "\n").count("\n") + 1
    before = 0
    for one in parse(text):
        assert before < one.line <= one.end <= lines
        assert all(one.line <= one.line_of(at) <= one.end for at in range(len(one.text)))
        before = one.end
        pairs(one)


def plain(node: Node | None) -> object:
    """A document as dicts, lists and texts."""
    if node is None or node.kind == "null":
        return None
    if node.kind == "map":
        return {key: plain(value) for key, value in node.keys.items()}
    return [plain(item) for item in node.items] if node.kind == "list" else node.text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a: yes\nb: 0777\nc: 1:30\nd:\n", {"a": "yes", "b": "0777", "c": "1:30", "d": None}),
        ("x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  b: 3\n", {"x": {"a": "1", "b": "2"}, "y": {"a": "1", "b": "3"}}),
        (
            "p: &p {a: 1}\nq: &q {a: 2, b: 2}\nr:\n  <<: [*p, *q]\n",
            {"p": {"a": "1"}, "q": {"a": "2", "b": "2"}, "r": {"a": "1", "b": "2"}},
        ),
        (
            'a: {{ template "x" . }}\nb: "{{ y | default(\'z\') }}"\n',
            {"a": '{{ template "x" . }}', "b": "{{ y | default('z') }}"},
        ),
        ("{{- if .Values.x }}\na: 1\n{{- end }}\n", {"a": "1"}),
        ("a: !secret b\n", {"a": "b"}),
        ("a: [php, artisan, queue:work]\n", {"a": ["php", "artisan", "queue:work"]}),
    ],
)
def test_yaml_is_taken_as_it_is_written(text: str, wanted: object) -> None:
    """Scalars stay text; merge keys, templates and tags are no obstacle."""
    assert plain(load(text)) == wanted


def test_yaml_lines() -> None:
    """A value stands where its key does, in whichever document."""
    second = list(documents("a: 1\n---\nb:\n  c: |\n    x\n    y\n"))[1]

    found = second.get("b", "c")

    assert found is not None
    assert (second.get("b").line, found.line, found.end) == (3, 4, 6)  # type: ignore[union-attr]


def test_a_broken_document_does_not_hide_the_others() -> None:
    """Of three documents the one that is no YAML is passed over."""
    assert [plain(one) for one in documents("a: 1\n---\nb: c: d\n---\ne: 2\n")] == [{"a": "1"}, {"e": "2"}]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "- " * 100_000,
        "a: &a [*a]\nb: *a\n",
        "a: &a\n  <<: *a\n",
        "a: &a [x,x]\n"
        + "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
        "a: \x00\x07\ue000\n",
        "\n".join(" " * depth + "a:" for depth in range(2 * MAX_DEPTH)),
    ],
)
def test_hostile_yaml_ends(text: str) -> None:
    """Depth, circles and expanding aliases cost little and raise nothing."""
    assert len(list(documents(text))) <= 1


@given(st.text(alphabet="ab:-&*[]{}<'\"|>#%! \n\t~?,", max_size=200))
@settings(deadline=None, max_examples=300)
def test_any_yaml_ends(text: str) -> None:
    """No text makes the reader raise."""
    list(documents(text))
