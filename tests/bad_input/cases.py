"""The table: each input, what is asked of it, and how that ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tests.bad_input.world import (
    CACHE,
    CRON,
    ENV,
    LOCK,
    MAIN,
    QUEUE,
    WORKER,
    Content,
    Folder,
    Gone,
    Link,
    Locked,
    Made,
    Pipe,
    Socket,
    Sparse,
)

GIB = 1024 * 1024 * 1024


class Case(NamedTuple):
    """One bad input."""

    name: str
    """What it is, as the test's name."""
    status: int
    """The exit status it must end with."""
    says: str
    """A part of what is told, on standard error where the status is 2 or 3, else in the report."""
    files: Mapping[str, Content] = {}
    """What is different on the sound host; a path that begins with ../ lies beside it."""
    arguments: tuple[str, ...] = ("audit", "host")
    """The command line; the sound host is the folder host."""
    environment: Mapping[str, str] = {}
    """What is set in the environment."""


def _site(*names: str) -> str:
    return "".join(f"[program:{name}]\ncommand=/usr/bin/php /var/www/shop/artisan queue:work\n\n" for name in names)


def _rule(that: str = "worker.timeout <= 10", **more: str) -> str:
    keys = {
        "title": "A job is short",
        "severity": "note",
        "for": "worker",
        "that": that,
        "message": '"A job of {{ worker.name }} may take long."',
        "rationale": "It is.",
        "examples": "{good: [{worker.timeout: 5}], bad: [{worker.timeout: 20}]}",
        **more,
    }
    return "".join(f"{key}: {value}\n" for key, value in keys.items())


RULES = ("audit", "host", "--rules", "rules")


def _rules(name: str, says: str, text: Content, path: str = "../rules/own/short-job.yaml") -> Case:
    return Case(f"rules: {name}", 2, says, {path: text}, RULES)


ENCODINGS = (
    Case("conf in UTF-16", 1, "supervisor/", {WORKER: _site("a").encode("utf-16")}),
    Case("conf in Latin-1", 1, "not UTF-8", {WORKER: _site("a").encode() + "; Zählen\n".encode("latin-1")}),
    Case("conf with a BOM", 1, "supervisor/bom", {WORKER: b"\xef\xbb\xbf" + _site("a").encode()}),
    Case("main conf with a BOM", 1, "supervisor/bom", {MAIN: b"\xef\xbb\xbf[supervisord]\n"}),
    Case("conf with NUL bytes", 1, "supervisor/", {WORKER: _site("a").encode() + b"\0\0x\0\n"}),
    Case("env with a BOM", 0, "no findings", {ENV: b"\xef\xbb\xbfQUEUE_CONNECTION=redis\nCACHE_STORE=redis\n"}),
    Case("env with NUL bytes", 1, "queue/env-unreadable", {ENV: b"A=\0B C\nQUEUE_CONNECTION=re\0dis\n"}),
    Case("env in UTF-16", 1, "queue/env-unreadable", {ENV: "QUEUE_CONNECTION=redis\n".encode("utf-16")}),
    Case(
        "crontab with a BOM",
        1,
        "scheduler/",
        {CRON: b"\xef\xbb\xbf* * * * * www-data php /var/www/shop/artisan schedule:run\n"},
    ),
    Case("crontab in UTF-16", 1, "scheduler/", {CRON: "* * * * * root php artisan schedule:run\n".encode("utf-16")}),
    Case("php config in UTF-16", 0, "not judged", {QUEUE: "<?php return ['default' => 'sync'];".encode("utf-16")}),
    Case(
        "passwd in Latin-1",
        0,
        "no findings",
        {"etc/passwd": "www-data:x:33:33:Zähler:/var/www:/bin/sh\n".encode("latin-1")},
    ),
)

NO_FILES = (
    Case("env is a pipe", 0, f"{ENV}: it is a named pipe", {ENV: Pipe()}),
    Case("env is a socket", 0, f"{ENV}: ", {ENV: Socket()}),
    Case("env is a folder", 0, f"{ENV}: it is a folder", {ENV: Folder()}),
    Case("env may not be read", 0, f"{ENV}: permission denied", {ENV: Locked("QUEUE_CONNECTION=sync")}),
    Case("queue.php is a pipe", 0, f"{QUEUE}: it is a named pipe", {QUEUE: Pipe()}),
    Case("queue.php may not be read", 0, f"{QUEUE}: permission denied", {QUEUE: Locked()}),
    Case("cached config may not be read", 0, f"{CACHE}: permission denied", {CACHE: Locked()}),
    Case("crontab is a pipe", 0, "etc/crontab: it is a named pipe", {"etc/crontab": Pipe()}),
    Case("cron.d file is a socket", 0, "etc/cron.d/other: it is a socket", {"etc/cron.d/other": Socket()}),
    Case("cron.d may not be listed", 0, "etc/cron.d: permission denied", {CRON: Gone(), "etc/cron.d": Folder(0)}),
    Case("conf is a pipe", 1, f"{WORKER}", {WORKER: Pipe()}),
    Case(
        "conf may not be read",
        0,
        f"{WORKER}: permission denied",
        {"etc/supervisor/conf.d/z.conf": Locked(), WORKER: Locked()},
    ),
    Case("main conf is a folder", 0, f"{MAIN}: it is a folder", {MAIN: Folder()}),
    Case("main conf is a pipe", 0, f"{MAIN}: it is a named pipe", {MAIN: Pipe()}),
    Case("main conf is a link to /dev/zero", 0, "no findings", {MAIN: Link("/dev/zero")}),
    Case("composer.lock is a pipe", 0, f"{LOCK}: it is a named pipe", {LOCK: Pipe()}),
    Case("passwd is a pipe", 0, "etc/passwd: it is a named pipe", {"etc/passwd": Pipe()}),
    Case(
        "conf.d may not be listed",
        0,
        "etc/supervisor/conf.d: permission denied",
        {WORKER: Gone(), "etc/supervisor/conf.d": Folder(0)},
    ),
    Case("unit is a pipe", 0, "etc/systemd/system/x.service: ", {"etc/systemd/system/x.service": Pipe()}),
    Case(
        "nothing can be read",
        2,
        "could not be read",
        {**dict.fromkeys((WORKER, CRON, QUEUE, LOCK, "var/www/shop/artisan"), Gone()), MAIN: Pipe()},
    ),
)

LINKS = (
    Case("conf is a link to itself", 1, "circle", {WORKER: Link("worker.conf")}),
    Case(
        "conf.d is a circle of links",
        0,
        "",
        {WORKER: Gone(), "etc/supervisor/conf.d": Link("../supervisor/x"), "etc/supervisor/x": Link("conf.d")},
    ),
    Case("conf is a dangling link", 1, "supervisor/", {"etc/supervisor/conf.d/gone.conf": Link("nowhere")}),
    Case(
        "conf is a link out of the root",
        1,
        "supervisor/",
        {"etc/supervisor/conf.d/out.conf": Link("../../../../../../../../etc/passwd-x")},
    ),
    Case("env is an absolute link out of the root", 0, "not judged", {ENV: Link("/etc/shadow-of-this-machine")}),
    Case("app is a link to its own parent", 0, "no findings", {"var/www/shop/public/loop": Link("../..")}),
    Case(
        "repository with a circle of links",
        0,
        "no findings",
        {"a": Link("b"), "b": Link("a"), "c/d": Link("..")},
        ("audit", "host", "--as", "repository"),
    ),
    Case(
        "forty-one links in a row", 0, "circle", {**{f"l{n}": Link(f"l{n + 1}") for n in range(45)}, ENV: Link("/l0")}
    ),
)

SIZES = (
    Case("conf of one line of 1 GB", 0, "bytes long", {WORKER: Sparse(GIB)}),
    Case("main conf of 1 GB", 0, f"{MAIN}: it is 1,073,741,824 bytes long", {MAIN: Sparse(GIB)}),
    Case("env of 1 GB", 0, f"{ENV}: it is 1,073,741,824 bytes long", {ENV: Sparse(GIB)}),
    Case("crontab of 1 GB", 0, "etc/crontab: it is 1,073,741,824 bytes long", {"etc/crontab": Sparse(GIB)}),
    Case("queue.php of 1 GB", 0, f"{QUEUE}: it is 1,073,741,824 bytes long", {QUEUE: Sparse(GIB)}),
    Case("passwd of 1 GB", 0, "etc/passwd: it is", {"etc/passwd": Sparse(GIB)}),
    Case(
        "one line of 7 MB", 0, "no findings", {WORKER: Made(lambda: "[program:a]\ncommand=" + "x" * 7_000_000 + "\n")}
    ),
    Case(
        "one env value of 7 MB",
        0,
        "",
        {ENV: Made(lambda: "QUEUE_CONNECTION=redis\nCACHE_STORE=redis\nA='" + "x" * 7_000_000 + "'\n")},
    ),
    Case(
        "env that doubles a value thirty times",
        0,
        "its references multiply",
        {ENV: Made(lambda: "A0=xxxxxxxxxx\n" + "".join(f"A{n + 1}=${{A{n}}}${{A{n}}}\n" for n in range(40)))},
    ),
    Case(
        "crontab of 100,000 lines",
        1,
        "",
        {CRON: Made(lambda: "* * * * * www-data cd /var/www/shop && php artisan schedule:run\n" * 100_000)},
    ),
    Case(
        "crontab of 100,000 other lines",
        0,
        "no findings",
        {
            "etc/cron.d/many": Made(
                lambda: "".join(f"{n % 60} * * * * root /usr/bin/true {n}\n" for n in range(100_000))
            )
        },
    ),
    Case(
        "10,000 unknown variables",
        1,
        "not judged (10006)",
        {
            WORKER: Made(
                lambda: (
                    "[program:a]\ncommand=/usr/bin/php /var/www/shop/artisan queue:work\nenvironment="
                    + ",".join(f'V{n}="%(ENV_X{n})s"' for n in range(10_000))
                    + "\n"
                )
            )
        },
    ),
    Case("10,000 sections of the same name", 1, "supervisor/duplicate", {WORKER: Made(lambda: _site("a") * 10_000)}),
    Case(
        "a value continued over 100,000 lines",
        0,
        "no findings",
        {WORKER: Made(lambda: "[program:a]\ncommand=/bin/true\n" + "  more\n" * 100_000)},
    ),
    Case(
        "cached config of 5 MB",
        0,
        "",
        {
            CACHE: Made(
                lambda: (
                    "<?php return array ("
                    + "".join(f"'k{n}' => array ('a' => 'b', 'c' => {n}),\n" for n in range(150_000))
                    + ");\n"
                )
            )
        },
    ),
    Case("composer.lock of garbage", 0, "not judged", {LOCK: Made(lambda: b'{"name": "laravel/framework"' * 100_000)}),
    Case("passwd of one million lines", 0, "", {"etc/passwd": Made(lambda: "u:x:1:1::/:\n" * 300_000)}),
)

DEPTHS = (
    Case(
        "php arrays 10,000 deep",
        1,
        "queue/connection-unknown",
        {QUEUE: Made(lambda: "<?php return " + "[" * 10_000 + "]" * 10_000 + ";")},
    ),
    Case(
        "php operators 10,000 in a row",
        0,
        "not judged",
        {QUEUE: Made(lambda: "<?php return " + "1 + " * 10_000 + "1;")},
    ),
    Case(
        "php calls 5,000 deep",
        1,
        "nested too deeply",
        {QUEUE: Made(lambda: "<?php return ['default' => " + "env('A', " * 5_000 + "1" + ")" * 5_000 + "];")},
    ),
    Case("php never closed", 0, "", {QUEUE: Made(lambda: "<?php return [" + "'a' => [" * 3_000)}),
    Case(
        "cached config 10,000 deep",
        1,
        "queue/",
        {CACHE: Made(lambda: "<?php return " + "array(" * 10_000 + ")" * 10_000 + ";")},
    ),
    Case(
        "a command of 3,000 shells in shells",
        0,
        "no findings",
        {WORKER: Made(lambda: "[program:a]\ncommand=" + "sh -c " * 3_000 + "php artisan queue:work\n")},
    ),
    Case(
        "a command of 20,000 quotes",
        1,
        "",
        {WORKER: Made(lambda: '[program:a]\ncommand=bash -c "' + "'\\" * 10_000 + '"\n')},
    ),
    Case(
        "a cron line of 100,000 brackets",
        0,
        "",
        {"etc/cron.d/deep": Made(lambda: "* * * * * root " + "$(" * 50_000 + "php artisan schedule:run\n")},
    ),
)

INCLUDES = (
    Case(
        "include of itself",
        0,
        "no findings",
        {MAIN: "[supervisord]\n[include]\nfiles=supervisord.conf conf.d/*.conf\n"},
    ),
    Case(
        "includes in a circle",
        1,
        "supervisor/include-nested",
        {MAIN: "[supervisord]\n[include]\nfiles=conf.d/*.conf\n", WORKER: "[include]\nfiles=../supervisord.conf\n"},
    ),
    Case("include of /", 1, "", {MAIN: "[supervisord]\n[include]\nfiles=/\n"}),
    Case("include of every device", 1, "include-matches-nothing", {MAIN: "[supervisord]\n[include]\nfiles=/dev/*\n"}),
    Case(
        "include of pipes",
        1,
        "",
        {
            MAIN: "[supervisord]\n[include]\nfiles=/dev/*\n",
            "dev/a": Pipe(),
            "dev/b": Socket(),
            "dev/full": Link("/dev/full"),
        },
    ),
    Case(
        "include of everything",
        1,
        "",
        {MAIN: "[supervisord]\n[include]\nfiles=/*/*/*/*/*/*/*/* */*/*/*/*/*/*/* ../../../*/*\n"},
    ),
    Case("glob bomb", 1, "", {MAIN: "[supervisord]\n[include]\nfiles=" + "/**" * 200 + "/[!a-z]*?*?*?*[0-9]*.conf\n"}),
    Case(
        "glob bomb through a circle of links",
        0,
        "it matches more than",
        {MAIN: "[supervisord]\n[include]\nfiles=" + "/*" * 25 + "\n", "a/x": Link("/a"), "a/y": Link("/a")},
    ),
    Case("include of a broken pattern", 1, "", {MAIN: "[supervisord]\n[include]\nfiles=[[[ [!] %(nope)s\n"}),
)

HOSTILE_RULES = (
    _rules("none in the folder", "there is no <group>/<id>.yaml", Folder(), "../rules/own"),
    _rules("wrong extension", "there is no <group>/<id>.yaml", _rule(), "../rules/own/short-job.yml"),
    _rules("a pipe", "short-job.yaml", Pipe()),
    _rules("forbidden", "permission denied", Locked()),
    _rules("a link to /dev/zero", "short-job.yaml", Link("/dev/zero")),
    _rules("1 GB", "short-job.yaml", Sparse(GIB)),
    _rules("not UTF-8", "it is not UTF-8", "title: Zähler\n".encode("latin-1")),
    _rules("not YAML", "short-job.yaml:2: not YAML", "title: a\n  that: [\n"),
    _rules(
        "a YAML bomb",
        "aliases",
        Made(lambda: "a: &a [x]\n" + "".join(f"a{n}: &a{n} [*a, *a, *a]\n" for n in range(50))),
    ),
    _rules("100,000 brackets", "short-job.yaml", Made(lambda: "title: " + "[" * 100_000)),
    _rules("100,000 braces", "short-job.yaml", Made(lambda: "{a: " * 100_000)),
    _rules("50 brackets", "nested more than 30 deep", _rule(let="{a: " + "[" * 50 + "]" * 50 + "}")),
    _rules("a Python tag", "short-job.yaml:1", "title: !!python/object/apply:os.system [id]\n"),
    _rules("a tag of its own", "short-job.yaml:1", "title: !own x\n"),
    _rules("a list", "a rule is a mapping", "- a\n- b\n"),
    _rules("empty", "a rule is a mapping", ""),
    _rules("an unknown key", "a rule has no key “sevrity”; did you mean “severity”?", _rule() + "sevrity: note\n"),
    _rules("a key twice", "stands here twice", _rule() + "title: again\n"),
    _rules("a misspelt fact", "Worker has no “timout”; did you mean “timeout”?", _rule("worker.timout <= 10")),
    _rules("a misspelt scope", "did you mean “worker”?", _rule(**{"for": "workr"})),
    _rules("a wrong type", "cannot be ordered", _rule("worker.name <= 10")),
    _rules("a number for a condition", "is needed", _rule("worker.timeout + 1")),
    _rules("a dunder", "“__class__”", _rule("worker.__class__ == 1")),
    _rules("a dunder in a chain", "not part of the rules' language", _rule("().__class__.__bases__ == 1")),
    _rules("a call", "not part of the rules' language", _rule("open(worker.name) == 1")),
    _rules("an import", "not part of the rules' language", _rule("__import__('os').system('id') == 0")),
    _rules("a lambda", "not part of the rules' language", _rule('"(lambda: 1) == 1"')),
    _rules("a comprehension", "not part of the rules' language", _rule('"[x for x in worker.queues] == 1"')),
    _rules("an f-string", "not part of the rules' language", _rule("f'{worker.name}' == 'x'")),
    _rules("an assignment", "is not an expression", _rule("(x := 1) == = 1")),
    _rules("a power tower", "not part of the rules' language", _rule("10**10**10 > worker.timeout")),
    _rules("a product of texts", "is needed", _rule("\"'x' * 1000000000 == worker.name\"")),
    _rules("an enormous number", "a number is at most 1e+15", _rule("worker.timeout <= " + "9" * 1_900)),
    _rules("an enormous expression", "at most 2000 characters", _rule("worker.timeout <= 1" + " + 1" * 10_000)),
    _rules("parentheses 900 deep", "short-job.yaml:4", _rule("(" * 900 + "1" + ")" * 900 + " == 1")),
    _rules("not 400 deep", "nested at most 40 deep", _rule("not " * 400 + "worker.once")),
    _rules("minus 1,500 deep", "short-job.yaml:4", _rule('"' + "-" * 1_500 + '1 == 1"')),
    _rules("a hole that is not closed", "is not closed", _rule(message='"{{ worker.name"')),
    _rules("an unknown filter", "there is no filter", _rule(message='"{{ worker.name | shout }}."')),
    _rules("a fix for what nobody writes", "short-job.yaml", _rule(fix="{worker.nam: {at_most: 1}}")),
    _rules("a fix without an operator", "at_most, at_least, exactly", _rule(fix="{worker.timeout: 10}")),
    Case(
        "rules: a circle of fixes",
        2,
        "closes a circle",
        {
            "../rules/own/a.yaml": _rule(
                "program.stopwaitsecs <= worker.timeout", fix="{worker.timeout: {at_least: program.stopwaitsecs}}"
            ),
        },
        ("fix", "host", "--rules", "rules"),
    ),
    _rules("an address that is no https", "https", _rule(references="['javascript:alert(1)']")),
    _rules("no examples", "examples", _rule(examples="{}")),
    Case("rules: a folder that is a file", 2, "is a file", {"../rules": "x"}, RULES),
    Case("rules: a folder that is not there", 2, "does not exist", {}, RULES),
)

FACTS = (
    Case(
        "facts: cut short",
        2,
        "facts.json:1: it is not JSON",
        {"../facts.json": '{"tool": "queue-auditor", "format": 1, "confs": ['},
        ("audit", "facts.json"),
    ),
    Case("facts: empty", 2, "it is not JSON", {"../facts.json": ""}, ("audit", "facts.json")),
    Case(
        "facts: another version",
        2,
        "its format is 999",
        {"../facts.json": '{"tool": "queue-auditor", "format": 999}'},
        ("audit", "facts.json"),
    ),
    Case(
        "facts: another tool",
        2,
        "it is no facts file of queue-auditor",
        {"../facts.json": '{"tool": "other", "format": 1}'},
        ("audit", "facts.json"),
    ),
    Case(
        "facts: a list", 2, "it is no facts file of queue-auditor", {"../facts.json": "[1, 2]"}, ("audit", "facts.json")
    ),
    Case(
        "facts: a wrong type",
        2,
        "$.confs[0].programs[0].numprocs",
        {"../facts.json": '{"tool": "queue-auditor", "format": 1, "confs": [{"programs": [{"numprocs": "many"}]}]}'},
        ("audit", "facts.json"),
    ),
    Case(
        "facts: not UTF-8",
        2,
        "facts.json",
        {"../facts.json": b'{"tool": "queue-auditor", "format": 1, "name": "\xff\xfe"}'},
        ("audit", "facts.json"),
    ),
    Case(
        "facts: nested 100,000 deep",
        2,
        "facts.json",
        {"../facts.json": Made(lambda: '{"tool": "queue-auditor", "format": 1, "confs": ' + "[" * 100_000)},
        ("audit", "facts.json"),
    ),
    Case(
        "facts: objects nested 100,000 deep",
        2,
        "facts.json",
        {"../facts.json": Made(lambda: '{"a":' * 100_000)},
        ("audit", "facts.json"),
    ),
    Case("facts: 1 GB", 2, "it is larger than", {"../facts.json": Sparse(GIB)}, ("audit", "facts.json")),
    Case("facts: may not be read", 2, "permission denied", {"../facts.json": Locked()}, ("audit", "facts.json")),
    Case("facts: a pipe", 2, "named pipe", {"../facts.json": Pipe()}, ("audit", "facts.json")),
    Case(
        "facts: of nothing",
        3,
        "nothing to audit",
        {"../facts.json": '{"tool": "queue-auditor", "format": 1}'},
        ("audit", "facts.json"),
    ),
)

ONE_FILE = (
    Case("path is not there", 2, "host/nowhere: it does not exist", {}, ("audit", "host/nowhere")),
    Case("path is below a file", 2, "does not exist", {}, ("audit", f"host/{MAIN}/x")),
    Case("path is a pipe", 2, "host/p.conf: it is a named pipe", {"p.conf": Pipe()}, ("audit", "host/p.conf")),
    Case("path is a socket", 2, "host/s.conf: ", {"s.conf": Socket()}, ("audit", "host/s.conf")),
    Case("path is a device", 2, "/dev/zero: it is a device", {}, ("audit", "/dev/zero")),
    Case("path is 1 GB", 2, "bytes long", {"g.conf": Sparse(GIB)}, ("audit", "host/g.conf")),
    Case("path may not be read", 2, "permission denied", {"l.conf": Locked()}, ("audit", "host/l.conf")),
    Case(
        "path is a folder that may not be listed",
        2,
        "permission denied",
        {"closed": Folder(0)},
        ("audit", "host/closed"),
    ),
    Case("path is an empty folder", 3, "nothing to audit", {"empty": Folder()}, ("audit", "host/empty")),
    Case(
        "path is an empty folder, which is allowed",
        0,
        "nothing that runs a queue",
        {"empty": Folder()},
        ("audit", "host/empty", "--allow-empty"),
    ),
    Case("path is an empty file", 3, "nothing to audit", {"e.conf": ""}, ("audit", "host/e.conf")),
    Case("path is a picture", 1, "supervisor/", {"e.png": bytes(range(256)) * 100}, ("audit", "host/e.png")),
    Case("path with a newline in its name", 1, "", {"a\nb.conf": _site("a")}, ("audit", "host/a\nb.conf")),
    Case("path with a name that is not UTF-8", 1, "", {"a\udcff.conf": _site("a")}, ("audit", "host/a\udcff.conf")),
    Case("path is empty", 2, "does not exist", {}, ("audit", "")),
    Case("path of 5,000 characters", 2, "does not exist", {}, ("audit", "x" * 5_000)),
    Case("a folder as a file", 2, "is a folder", {}, ("audit", "host", "--as", "file")),
    Case(
        "50,000 programs in one file",
        1,
        "supervisor/",
        {"many.conf": Made(lambda: "".join(f"[program:p{n}]\ncommand=/bin/true\nfoo=1\n" for n in range(50_000)))},
        ("audit", "host/many.conf", "--select", "supervisor/unknown-option"),
    ),
)

USAGE = (
    Case("unknown command", 2, "did you mean “audit”?", {}, ("audti", "host")),
    Case("unknown option", 2, "--format", {}, ("audit", "host", "--formt", "json")),
    Case(
        "unknown rule",
        2,
        "did you mean “timeouts/timeout-unlimited”?",
        {},
        ("audit", "host", "--select", "timeouts/timeout-unlimitd"),
    ),
    Case("unknown rule to explain", 2, "there is no rule", {}, ("explain", "nothing/of-the-kind-xyz")),
    Case("unknown format", 2, "'yamll' is not one of", {}, ("audit", "host", "--format", "yamll")),
    Case(
        "two formats to one place",
        2,
        "two formats cannot both go to standard output",
        {},
        ("audit", "host", "--format", "json", "--format", "console"),
    ),
    Case(
        "two formats to one file",
        2,
        "two formats cannot both go to one file",
        {},
        ("audit", "host", "--format", "json", "--format", "console", "--output", "x", "--output", "x"),
    ),
    Case(
        "more outputs than formats",
        2,
        "more --output than --format",
        {},
        ("audit", "host", "--output", "x", "--output", "y"),
    ),
    Case("output in no folder", 2, "nowhere/x: no such file", {}, ("audit", "host", "--output", "nowhere/x")),
    Case("output is a folder", 2, "is a directory", {}, ("audit", "host", "--output", "host")),
    Case(
        "output where nobody may write",
        2,
        "closed/x: permission denied",
        {"../closed": Folder(0o555)},
        ("audit", "host", "--output", "closed/x"),
    ),
    Case("output on a full disk", 2, "/dev/full: no space left", {}, ("audit", "host", "--output", "/dev/full")),
    Case("facts on a full disk", 2, "/dev/full: no space left", {}, ("facts", "host", "--output", "/dev/full")),
    Case(
        "an environment variable with a bad value",
        2,
        "QUEUE_AUDITOR_FAIL_ON",
        {},
        ("audit", "host"),
        {"QUEUE_AUDITOR_FAIL_ON": "fatal"},
    ),
    Case(
        "an app that is not there",
        2,
        "there is no such folder below the audited root",
        {},
        ("audit", "host", "--app", "/srv/nowhere"),
    ),
    Case(
        "an app outside the root",
        2,
        "there is no such folder below the audited root",
        {"../elsewhere/artisan": ""},
        ("audit", "host", "--app", "../elsewhere"),
    ),
    Case("an app that is a file", 2, "there is no such folder", {}, ("audit", "host", "--app", f"/{ENV}")),
    Case("a password in the path", 2, "***", {}, ("audit", "mysql://root:hunter2@db/x")),
)

CASES = (*ENCODINGS, *NO_FILES, *LINKS, *SIZES, *DEPTHS, *INCLUDES, *HOSTILE_RULES, *FACTS, *ONE_FILE, *USAGE)
