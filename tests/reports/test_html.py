"""The page as a browser takes it: what is audited stays text, nothing is loaded, nothing runs, and severities can be hidden."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given

from auditor.findings import Finding, Ignored, Location, Severity, Skipped, Verdict
from tests.reports.test_render import MANY, VERDICTS, rendered
from tests.watch.servers import hook

STARTED_BY_HAND = {"meta", "link", "br", "input", "img", "hr"}


class Page(HTMLParser):
    """A page's tags, its texts, and whether each element was ended where it had to be."""

    # ruff: noqa: D102, D107 - the parser's own names

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in STARTED_BY_HAND:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@MANY
@given(VERDICTS)
def test_a_page_holds_no_markup_of_the_audited(verdict: Verdict) -> None:
    """Texts of audited files open no element and end none: all of them are there, as text."""
    page = Page(rendered(verdict, "html"))

    assert page.open == []
    assert page.tags["article"] == len(verdict.findings)
    assert page.tags["script"] == page.tags["img"] == 0
    assert page.tags["a"] == 0 or {finding.rule for finding in verdict.findings} & {"timeouts/timeout-unlimited"}
    text = re.sub(r"\s+", "", "".join(page.texts)).replace("`", "")
    for finding in verdict.findings:
        message = finding.message.encode("utf-8", "replace").decode()
        assert re.sub(r"\s+", "", message).replace("`", "") in text


HOSTILE = '</code><script>document.title = "ran"</script><img src="{url}/x" onerror="document.title = 1">'


def seen_by_a_browser(page: Path, folder: Path) -> str:
    """The document as Chromium has it once the page has loaded."""
    done = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-dev-shm-usage", f"--user-data-dir={folder}", "--dump-dom",
         page.as_uri()],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_browser_shows_it_and_loads_nothing(tmp_path: Path) -> None:
    """Scripts and pictures that stand in audited files are shown as they are written: none runs, none is fetched."""
    with hook() as server:
        evil = HOSTILE.format(url=server.url)
        finding = Finding(
            rule="timeouts/timeout-unlimited", severity=Severity.ERROR, subject=evil, message=evil, arithmetic=evil,
            advice=evil, locations=(Location(evil, 3, evil, evil),),
        )  # fmt: skip
        verdict = Verdict(
            findings=(finding, finding), root=evil, ignored=(Ignored(finding, "inline", evil),),
            skipped=(Skipped("a/b", evil, evil),),
        )  # fmt: skip
        page = tmp_path / "report.html"
        page.write_text(rendered(verdict, "html"), encoding="utf-8")

        seen = seen_by_a_browser(page, tmp_path / "profile")

        assert "<title>queue-auditor: 2 errors</title>" in seen
        assert seen.count("<article") == 2
        assert "<script" not in seen
        assert "<img" not in seen
        assert server.asked == []


@pytest.mark.parametrize("hidden", ["error", "note"])
def test_a_severity_can_be_hidden(tmp_path: Path, hidden: str) -> None:
    """Whoever takes a severity's tick away sees the findings of the others."""
    findings = tuple(
        Finding(rule="a/b", severity=s, subject=s.value, message="m") for s in (Severity.ERROR, Severity.NOTE)
    )
    text = rendered(Verdict(findings=findings), "html")
    assert text.count("Content-Security-Policy") == 1
    text = re.sub("<meta http-equiv=.*>", "", text)  # so that a script of the test's own may look
    text = text.replace(
        "</body>",
        f"""<script>document.getElementById("{hidden}").click()
        document.title = [...document.querySelectorAll("article")].filter(a => a.offsetParent).map(a => a.className)
        </script></body>""",
    )
    page = tmp_path / "report.html"
    page.write_text(text, encoding="utf-8")

    shown = "note" if hidden == "error" else "error"
    assert f"<title>{shown}</title>" in seen_by_a_browser(page, tmp_path / "profile")
