"""Hosts that nobody has thought of: programs, tables, apps and accounts, written in many hands."""

from __future__ import annotations

from hypothesis import strategies as st

QUEUE = """<?php

return [
    'default' => env('QUEUE_CONNECTION', 'database'),
    'connections' => [
        'redis' => [
            'driver' => 'redis',
            'connection' => 'default',
            'queue' => env('REDIS_QUEUE', 'default'),
            'retry_after' => %s,
            'block_for' => %s,
        ],
        'database' => [
            'driver' => 'database',
            'table' => 'jobs',
            'queue' => 'default',
            'retry_after' => %s,
        ],
        'sync' => ['driver' => 'sync'],
    ],
    'failed' => ['driver' => 'database-uuids', 'table' => 'failed_jobs'],
];
"""
MAIN = (
    "[unix_http_server]\nfile=/var/run/supervisor.sock\nchmod=0700\n\n[supervisord]\nlogfile=/var/log/supervisord.log\n\n"
    "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n\n"
    "[supervisorctl]\nserverurl=unix:///var/run/supervisor.sock\n\n[include]\nfiles = conf.d/*.conf\n"
)
PASSWD = "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"

words = st.sampled_from
php = words(
    ["php", "/usr/bin/php", "/usr/bin/php8.2 -d memory_limit=256M", "nice -n 10 php", "/usr/bin/env php", "exec php"]
)
artisan = words(["/var/www/shop/artisan", "artisan", "/var/www/shop/current/artisan", "/srv/other/artisan"])
number = st.integers(-1, 5000) | words([0, 1, 3, 30, 60, 80, 90, 100, 3600])
option = st.one_of(
    st.builds("--timeout={}".format, number),
    st.builds("--timeout {}".format, number),
    st.builds("--tries={}".format, st.integers(0, 5)),
    st.builds("--memory={}".format, words([0, 64, 128, 256, 512, 2048])),
    st.builds("--sleep={}".format, words([0, 0.5, 3, 10, 90])),
    st.builds("--rest={}".format, words([0, 1, 100])),
    st.builds("--max-time={}".format, words([0, 60, 3600])),
    st.builds("--max-jobs={}".format, words([0, 1, 500])),
    words(
        [
            "--queue=high,default", '--queue="high, default"', "--queue=default,high", "--queue default", "--daemon",
            "--backoff=3", "--delay=5", "--force", "--once", "--stop-when-empty", "-v", "--env=production", "--nonsense",
        ]
    ),
)  # fmt: skip


@st.composite
def commands(draw: st.DrawFn) -> str:
    """What one program runs."""
    kind = draw(words(["queue:work"] * 8 + ["queue:listen", "horizon", "schedule:work", "inspire", ""]))
    if not kind:
        return draw(
            words(
                ["/usr/bin/node server.js", "/bin/cat", "/usr/sbin/nginx -g 'daemon off;'", "/usr/bin/memcached -m 64"]
            )
        )
    parts = [draw(php), draw(artisan), kind]
    if kind.startswith("queue:"):
        parts += draw(words([[], [], ["redis"], ["database"], ["sqs"], ["sync"]]))
        parts += draw(st.lists(option, max_size=5))
    text = (" " * draw(words([1, 1, 1, 2]))).join(parts)
    wrap = draw(
        words(
            ["{}"] * 8
            + [
                "/bin/bash -c '{}'",
                'bash -lc "{}"',
                "sudo -u www-data {}",
                "{} >> /var/log/w.log 2>&1",
                "cd /var/www/shop && {}",
            ]
        )
    )
    return wrap.format(text) if "'" not in text or "'" not in wrap else text


@st.composite
def settings(draw: st.DrawFn) -> list[tuple[str, str]]:
    """The options of one program beside its command."""
    yes = words(["true", "false", "True", "on", "0"])
    values = {
        "stopwaitsecs": st.integers(0, 4000).map(str) | words(["10", "90", "3600"]),
        "startsecs": words(["0", "1", "10"]),
        "startretries": words(["0", "3", "10"]),
        "numprocs": words(["0", "1", "2", "8"]),
        "process_name": words(["%(program_name)s_%(process_num)02d", "%(program_name)s", "w%(process_num)d"]),
        "autostart": yes,
        "autorestart": words(["true", "false", "unexpected"]),
        "stopasgroup": yes,
        "killasgroup": yes,
        "stopsignal": words(["TERM", "QUIT", "KILL", "INT", "USR2"]),
        "user": words(["www-data", "root", "forge"]),
        "directory": words(["/var/www/shop", "/srv/other", "/tmp"]),
        "redirect_stderr": yes,
        "stdout_logfile": words(
            ["/var/log/w.log", "/var/www/shop/storage/logs/worker.log", "/dev/stdout", "AUTO", "NONE"]
        ),
        "stdout_logfile_maxbytes": words(["0", "50MB", "1KB"]),
        "stderr_logfile": words(["/var/log/w.err", "/dev/stderr"]),
        "stderr_logfile_maxbytes": words(["0", "10MB"]),
        "environment": words(['HOME="/var/www"', 'A="1",B="%%x"', 'APP_ENV="production"']),
        "priority": words(["999", "1"]),
        "exitcodes": words(["0", "0,2"]),
    }
    chosen = draw(st.lists(words(sorted(values)), unique=True, max_size=8))
    return [(name, draw(values[name])) for name in chosen]


@st.composite
def sections(draw: st.DrawFn, name: str) -> list[str]:
    """The lines of one program, without their ends."""
    pairs = draw(settings())
    pairs.insert(draw(st.integers(0, len(pairs))), ("command", draw(commands())))
    if draw(st.booleans()) and pairs:
        pairs.append(draw(words(pairs)))  # said twice, in one file
    lines = [f"[program:{name}]"]
    for option_name, value in pairs:
        spelled = draw(words([option_name] * 4 + [option_name.upper(), option_name.capitalize()]))
        between = draw(words(["=", "=", " = ", ": ", " :", "=   "]))
        comment = draw(words([""] * 6 + [" ; as the manual says", "   "]))
        if option_name == "command" and draw(words([False] * 5 + [True])):
            first, _, rest = value.rpartition(" ")
            lines += [f"{spelled}{between}{first}", f"    {rest}"] if first else [f"{spelled}{between}{value}"]
        else:
            lines.append(f"{spelled}{between}{value}{comment if ';' not in value else ''}")
        lines += draw(words([[]] * 6 + [[""], ["; a remark"], ["# stopwaitsecs=5"]]))
    return lines


@st.composite
def hosts(draw: st.DrawFn) -> dict[str, bytes]:
    """The files of a host, by path."""
    found: dict[str, bytes] = {"etc/supervisor/supervisord.conf": MAIN.encode(), "var/log/.keep": b""}
    for file in draw(words([["a"], ["a", "b"], ["a", "b", "c"]])):
        end = draw(words(["\n"] * 4 + ["\r\n"]))
        names = draw(st.lists(words(["one", "two", "three", "ünïcode"]), unique=True, max_size=3))
        lines = draw(words([[], ["; managed by hand", ""], ["# site.conf"]]))
        for name in names:
            lines = [*lines, *draw(sections(name)), *draw(words([[], [""], ["", "", ";----"]]))]
        text = end.join(lines) + draw(words([end] * 4 + [""]))
        found[f"etc/supervisor/conf.d/{file}.conf"] = text.encode()
    retry = words(
        ["30", "60", "90", "300", "3700", "100000", "null", "env('RETRY', 90)", "(int) env('RETRY', 90)", "$x"]
    )
    found["var/www/shop/config/queue.php"] = (
        QUEUE % (draw(retry), draw(words(["null", "5", "120"])), draw(retry))
    ).encode()
    found["var/www/shop/artisan"] = b"#!/usr/bin/env php\n"
    found["var/www/shop/composer.lock"] = b'{"packages": [{"name": "laravel/framework", "version": "v%s"}]}' % draw(
        words([b"8.83.0", b"10.48.0", b"11.0.0"])
    )
    env = draw(
        st.lists(
            words(
                [
                    "QUEUE_CONNECTION=redis",
                    "QUEUE_CONNECTION=sync",
                    "RETRY=50",
                    "RETRY=x",
                    "APP_ENV=production",
                    "CACHE_DRIVER=redis",
                    "BAD=a b",
                ]
            ),
            unique=True,
        )
    )
    found["var/www/shop/.env"] = "".join(f"{line}\n" for line in env).encode()
    line = words(
        [
            "* * * * * www-data cd /var/www/shop && /usr/bin/php artisan schedule:run >> /dev/null 2>&1",
            "*/5 * * * * www-data php /var/www/shop/artisan schedule:run",
            "* * * * * root php artisan schedule:run",
            "* * * * * cd /var/www/shop && php artisan schedule:run",
            "* * * * * www-data date +%F && cd /var/www/shop && php artisan schedule:run",
            "0 3 * * * root /usr/local/bin/backup",
            "MAILTO=root",
            "# a remark",
            "61 * * * * root true",
        ]
    )
    for path in draw(words([[], ["etc/cron.d/shop"], ["etc/crontab"], ["etc/cron.d/shop", "etc/cron.d/x.y"]])):
        end = draw(words(["\n"] * 4 + ["\r\n"]))
        found[path] = (end.join(draw(st.lists(line, max_size=3))) + draw(words([end] * 3 + [""]))).encode()
    if draw(st.booleans()):
        found["etc/passwd"] = PASSWD.encode()
    found["proc/meminfo"] = b"MemTotal:        4000000 kB\n"
    return found
