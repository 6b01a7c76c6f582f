"""A repository of 10,000 files, 500 of them supervisor configurations, beside git's own search of it; and its parts."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from measure import in_turn

CONFS = 500
GREP = ["git", "grep", "-lE", r"artisan|supervisord|\[program:"]
GREP_BUDGET = 3.0
METHOD = """    public function show(Request $request): Response
    {
        return response()->json(['data' => $this->service->find($request->input('id'))]);
    }
"""


def repository(folder: Path, auditor: list[str], program: str, rounds: int) -> None:
    """A repository of 10,000 files, 500 of them supervisor configurations, beside git's own search of it; and its parts."""
    parts: dict[str, Callable[[Path], None]] = {
        "nothing but its start": lambda _: None,
        f"{CONFS} configurations": lambda root: configurations(root, program),
        "the other 9,500 files": application,
    }
    commands = {}
    for name, make in parts.items():
        root = folder / name.replace(" ", "-")
        root.mkdir()
        (root / ".git").mkdir()
        make(root)
        commands[name] = [*auditor, "audit", str(root), "--format", "json", "--allow-empty"]
    whole = folder / "repository"
    whole.mkdir()
    application(whole)
    configurations(whole, program)
    for words in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *words], cwd=whole, check=True, stdout=subprocess.DEVNULL)
    commands["all of it"] = [*auditor, "audit", str(whole), "--format", "json"]
    found = in_turn({"git grep": GREP, **commands}, rounds, folder=str(whole))
    floor = found["git grep"].seconds
    print(f"\na repository of 10,000 files, {CONFS} of them configurations, as multiples of `{' '.join(GREP)}` over it")
    for name in commands:
        one = found[name]
        print(f"  {name:<28} {one.seconds / floor:5.1f}   {one.seconds:5.2f}s {one.mebibytes:5} MiB")
    ratio = found["all of it"].seconds / floor
    print(
        f"  budget {GREP_BUDGET} for all of it: {'kept' if ratio <= GREP_BUDGET else 'OVER; docs/performance.md tells why'}"
    )


def configurations(root: Path, program: str) -> None:
    """Five hundred program files, as a team with many queues might keep them."""
    folder = root / "deploy" / "supervisor"
    folder.mkdir(parents=True)
    for number in range(CONFS):
        (folder / f"worker{number:03d}.conf").write_text(program.format(number=number), encoding="utf-8")


def application(root: Path) -> None:
    """A Laravel app of 9,500 files: classes, pages, documents, scripts and YAML."""
    code = METHOD * 16
    kinds = {
        "app/Module{group}/Class{number}.php": (8600, f"<?php\n\nnamespace App;\n\nclass Example\n{{\n{code}}}\n"),
        "resources/js/page{number}.vue": (400, code),
        "docs/page{number}.md": (300, "A page about one thing.\n" * 60),
        "deploy/values{number}.yaml": (100, "replicas: 2\nimage: app\n"),
        "bin/tool{number}.sh": (98, "#!/bin/sh\nset -e\necho done\n"),
    }
    for pattern, (count, text) in kinds.items():
        for number in range(count):
            path = root / pattern.format(number=number, group=number // 50)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    (root / "artisan").write_text("#!/usr/bin/env php\n<?php\n", encoding="utf-8")
    (root / "composer.json").write_text('{"require": {"laravel/framework": "^11.0"}}\n', encoding="utf-8")
