"""Write the generated parts of README.md and docs/: whatever prose would otherwise repeat.

A part stands between "<!-- generated: NAME -->" and "<!-- end -->"; PARTS says what NAME is. The test suite fails
where a part is not what this script would write.
"""

from __future__ import annotations

import json
import re
import runpy
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from auditor.facts.bank import Figure, Note
    from auditor.settings.shape import Key

ROOT = Path(__file__).resolve().parents[1]
MARKED = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
DEPENDENCY = re.compile(r'^ *"([A-Za-z0-9_.-]+)[^"]*", +# (.+)$', re.MULTILINE)
TARGET = re.compile(r"^([a-z-]+):.*## (.+)$", re.MULTILINE)


def table(*rows: tuple[str, ...]) -> str:
    """A Markdown table; the first row is its head."""
    head, *body = (f"| {' | '.join(row)} |\n" for row in rows)
    return head + "|---" * len(rows[0]) + "|\n" + "".join(body)


def dependencies() -> str:
    """What is installed with the auditor, and what for: the comments beside pyproject.toml's dependencies."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    start = text.index("\ndependencies = [")
    rows = DEPENDENCY.findall(text[start : text.index("\n]", start)])
    return table(("package", "what for"), *((f"`{name}`", reason) for name, reason in rows))


def floors() -> str:
    """The contract that import-linter checks, highest floor first."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        layers = tomllib.load(file)["tool"]["importlinter"]["contracts"][0]["layers"]
    return "".join(f"    {layer}\n" for layer in layers)


def targets() -> str:
    """The Makefile's targets and what they are for."""
    rows = TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8"))
    return table(("command", "what it does"), *((f"`make {name}`", about) for name, about in rows))


def report() -> str:
    """The head of the first example's report, and what is seen of its queue."""
    blocks = (ROOT / "examples/laravel-sqlite/report.txt").read_text(encoding="utf-8").split("\n\n")
    seen = [block for block in blocks if block.split()[1] in ("backend/backlog-old", "backend/reserved-job-stuck")]
    shown = "\n\n".join([*blocks[:2], seen[0], seen[-1]])
    return f"```text\n{shown}\n```\n"


def commands() -> str:
    """Every command and its line of help."""
    from auditor.cli.commands import COMMANDS

    return table(("command", "what it does"), *((f"`queue-auditor {name}`", about) for name, about in COMMANDS.items()))


def rules() -> str:
    """Every rule, by group."""
    from auditor.judge.rulebook import load_folder, rules_folder

    found = list(load_folder(rules_folder()))
    parts = []
    for group in sorted({rule.group for rule in found}):
        rows = [
            (f"`{rule.id}`", rule.worst.value, f"{rule.title}.", "yes" if rule.fixes or rule.adds else "")
            for rule in found
            if rule.group == group
        ]
        parts.append(f"## {group}/\n\n{table(('rule', 'at most', 'what holds where all is well', 'fix'), *rows)}")
    return "\n".join(parts)


def scopes() -> str:
    """What can be judged, and the facts that each root has."""
    from auditor.facts.scopes import SCOPES
    from auditor.judge.types import members

    classes = {root: cls for roots in SCOPES.values() for root, cls in roots.items()}
    judged = table(
        ("for", "may name"), *((f"`{name}`", ", ".join(f"`{r}`" for r in roots)) for name, roots in SCOPES.items())
    )
    facts = [
        f"### {root}\n\n{', '.join(f'`{name}`' for name in members(cls))}\n" for root, cls in sorted(classes.items())
    ]
    return "\n".join([judged, *facts])


def settings() -> str:
    """Every key of the configuration file, with its default."""
    from auditor.settings.shape import KEYS

    return _keys(KEYS)


def watch_settings() -> str:
    """Every key of the configuration file's section "watch", with its default."""
    from auditor.settings.shape import WATCH

    return _keys(WATCH)


def _keys(keys: Mapping[str, Key]) -> str:
    rows = [
        (f"`{name}`", f"`{json.dumps(key.default)}`", f"{key.about}{' Paths count from the file.' if key.path else ''}")
        for name, key in keys.items()
    ]
    return table(("key", "default", "what it does"), *rows)


def signatures() -> str:
    """What the watch tells of logs, by kind."""
    from auditor.sources.logs.signatures import load_signatures

    rows = []
    for one in load_signatures().entries:
        told = "at once" if one.after == 1 else f"after {one.after} in {one.within / 60:g} min"
        quiet = f"{one.quiet / 60:g} min" if one.quiet < 3600 else f"{one.quiet / 3600:g} h"
        rows.append((f"`log/{one.kind}`", one.severity.value, f"{one.says}", ", ".join(one.logs), told, quiet))
    return table(("kind", "severity", "what it means", "logs", "told", "over after"), *rows)


def formats() -> str:
    """Every form of a report, by its name."""
    import importlib

    from auditor.cli.deliver import FORMATS

    rows = []
    for name in FORMATS:
        module = importlib.import_module(f"auditor.reports.{'json_report' if name == 'json' else name}")
        rows.append((f"`{name}`", (module.__doc__ or "").partition("\n")[0]))
    return table(("`--format`", "what it is"), *rows)


PROVIDER_FIGURES = {
    "calls_per_day": "calls a day, for each account and each kind of data",
    "agreement_days": "days a consent lasts, where the bank allows no more",
    "strikes": "failed calls in a row that suspend an account",
    "tokens_per_hour": "tokens an hour",
}
BANK_FIGURES = {
    "ask_every_days": "It wants data to be asked for every {} days at least.",
    "closes_after_days": "It ends the access after {} days without data.",
    "agreement_days": "It grants consents of {} days.",
}
"""Field of a bank to the sentence that tells it."""


def banks() -> str:
    """What the provider and each bank ask, every figure with its source and date."""
    from auditor.sources.banks import load_banks

    found = load_banks()
    provider = found.provider
    rows = [
        (words, f"{figure.figure:g} {sourced(figure)}")
        for field, words in PROVIDER_FIGURES.items()
        if (figure := getattr(provider, field)) is not None
    ]
    notes = "".join(f"- {note.text} {sourced(note)}\n" for note in provider.notes)
    parts = [f"### {provider.name}\n", table(("what", "figure"), *rows), notes]
    for bank in found.banks:
        told = [
            f"- {words.format(f'{figure.figure:g}')} {sourced(figure)}\n"
            for field, words in BANK_FIGURES.items()
            if (figure := getattr(bank, field)) is not None
        ]
        told += [f"- {note.text} {sourced(note)}\n" for note in bank.notes]
        parts.append(f"### {bank.name} (`{bank.institution}`)\n\n{''.join(told)}")
    return "\n".join(parts)


def bank_report() -> str:
    """What `bank` prints for the example whose database is here."""
    text = (ROOT / "examples/invoiceninja-banks/bank.txt").read_text(encoding="utf-8")
    return f"```text\n{text}```\n"


def sourced(one: Figure | Note) -> str:
    """Where it stands, and when it was said."""
    return f"([{one.date}]({one.source}))"


def profiles() -> str:
    """Every shipped profile: which apps it is for, and where each of its figures is from."""
    from auditor.remedies.profile import read_profile, shipped

    parts = []
    for name, path in shipped().items():
        profile = read_profile(path)
        rows = [
            (", ".join(f"`{key}`" for key in one.of), one.says, f"[{one.date}]({one.source})")
            for one in profile.evidence
        ]
        parts.append(f"### {name}: {profile.title}\n\n{table(('figures', 'what is said of them', 'source'), *rows)}")
    return "\n".join(parts)


def profile_keys() -> str:
    """Every key of a profile's file, by where it stands."""
    import ast
    import inspect
    from itertools import pairwise

    import msgspec

    from auditor.remedies import profile

    shapes = {"": "Profile", "detects": "Detects", "worker": "WorkerPlan", "sizing": "Sizing", "sizing.steps": "Step",
              "env": "Setting", "evidence": "Evidence"}  # fmt: skip
    classes = {one.name: one for one in ast.parse(inspect.getsource(profile)).body if isinstance(one, ast.ClassDef)}
    rows = []
    for where, cls in shapes.items():
        body = classes[cls].body
        fields = {field.name: field for field in msgspec.structs.fields(getattr(profile, cls))}
        for one, told in pairwise(body):
            if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and isinstance(told, ast.Expr):
                field = fields[one.target.id]
                key = f"{where}.{field.encode_name}".lstrip(".")
                rows.append((f"`{key}`", "yes" if field.required else "", str(ast.literal_eval(told.value))))
    return table(("key", "must be there", "what it says"), *rows)


PARTS: dict[str, Callable[[], str]] = {
    "dependencies": dependencies,
    "floors": floors,
    "targets": targets,
    "report": report,
    "commands": commands,
    "rules": rules,
    "scopes": scopes,
    "settings": settings,
    "watch-settings": watch_settings,
    "signatures": signatures,
    "formats": formats,
    "banks": banks,
    "bank-report": bank_report,
    "profiles": profiles,
    "profile-keys": profile_keys,
}
"""Every part that prose may ask for, by name."""


def pages() -> Iterator[Path]:
    """README.md and every page under docs/."""
    yield ROOT / "README.md"
    yield from sorted((ROOT / "docs").rglob("*.md"))


def filled(text: str) -> str:
    """`text` with each marked part as it should be; a KeyError names a part that PARTS lacks."""
    return MARKED.sub(lambda mark: f"{mark[1]}\n{PARTS[mark[2]]()}\n{mark[3]}", text)


def schemas() -> dict[str, str]:
    """The text of each docs/NAME.schema.json, by name."""
    made = runpy.run_path(str(ROOT / "docs" / "schemas.py"))["SCHEMAS"]
    return {name: json.dumps(make(), indent=2, ensure_ascii=False) + "\n" for name, make in made.items()}


def main() -> None:
    """Rewrite the pages whose parts have changed, and the schemas, and name them."""
    for page in pages():
        text = page.read_text(encoding="utf-8")
        if (new := filled(text)) != text:
            page.write_text(new, encoding="utf-8")
            print(f"wrote {page.relative_to(ROOT)}")
    for name, schema in schemas().items():
        file = ROOT / "docs" / f"{name}.schema.json"
        if not file.exists() or file.read_text(encoding="utf-8") != schema:
            file.write_text(schema, encoding="utf-8")
            print(f"wrote {file.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
