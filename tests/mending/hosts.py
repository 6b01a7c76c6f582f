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
HORIZON = """<?php

return [
    'use' => 'default',
    'defaults' => ['main' => ['connection' => 'redis', 'queue' => ['default'], 'timeout' => %s, 'tries' => 1]],
    'environments' => ['%s' => ['main' => ['maxProcesses' => 4]]],
];
"""
UNIT = """[Unit]
Description=a worker

[Service]
User=www-data
ExecStart=/usr/bin/php /var/www/shop/artisan %s
Restart=always
TimeoutStopSec=%s

[Install]
WantedBy=multi-user.target
"""
COMPOSE = """services:
  worker:
    image: shop
    command: %s
    stop_grace_period: %s
  scheduler:
    build: .
    command: php artisan schedule:work
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
                "/bin/sh -c 'cd /var/www/shop; {} | logger'",
                "gosu www-data {}",
                "docker exec shop {}",
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
        "numprocs_start": words(["0", "1"]),
        "startretries ": words(["1"]),
        "nonsense": words(["1", ""]),
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
        if names and draw(words([False] * 5 + [True])):
            lines += ["[group:all]", f"programs={','.join(names)}", ""]
        for name in names:
            if draw(words([False] * 9 + [True])):
                lines = [*lines, "; queue-auditor: ignore[timeouts] the team lives with it"]
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
            "@reboot www-data cd /var/www/shop && php artisan schedule:work",
            "* * * * * www-data cd /var/www/shop && php artisan schedule:run >> /var/log/schedule.log",
            "* * * * * forge cd $APP && php artisan schedule:run",
            "*/10 * * * * root php /var/www/shop/artisan queue:work --stop-when-empty",
            "* * * * * root php /srv/other/artisan schedule:run",
        ]
    )
    own_line = words(
        [
            "* * * * * php /var/www/shop/artisan schedule:run",
            "0 * * * * cd /var/www/shop && /usr/bin/php artisan schedule:run >/dev/null 2>&1",
            "* * * * * www-data cd /var/www/shop && php artisan schedule:run",
            "PATH=/usr/bin:/bin",
        ]
    )
    tables = ["etc/cron.d/shop", "etc/cron.d/x.y", "etc/crontab", "var/spool/cron/crontabs/www-data"]
    for path in draw(st.lists(words(tables), unique=True, max_size=2)):
        end = draw(words(["\n"] * 4 + ["\r\n"]))
        lines = draw(st.lists(line if "spool" not in path else own_line, max_size=3))
        found[path] = (end.join(lines) + draw(words([end] * 3 + [""]))).encode()
    if draw(words([False] * 3 + [True])):
        timeout, environment = draw(words([0, 60, 900])), draw(words(["production", "local"]))
        found["var/www/shop/config/horizon.php"] = (HORIZON % (timeout, environment)).encode()
    if draw(words([False] * 5 + [True])):
        run, stop = draw(words(["queue:work", "horizon", "schedule:work"])), draw(words(["5", "90", "infinity"]))
        found["etc/systemd/system/shop.service"] = (UNIT % (run, stop)).encode()
    if draw(words([False] * 5 + [True])):
        found["srv/other/artisan"] = b"#!/usr/bin/env php\n"
        found["srv/other/.env"] = b"QUEUE_CONNECTION=redis\n"
    if draw(st.booleans()):
        found["etc/passwd"] = PASSWD.encode()
    found["proc/meminfo"] = b"MemTotal:        4000000 kB\n"
    return found


@st.composite
def repositories(draw: st.DrawFn) -> dict[str, bytes]:
    """The files of one app's repository, with the files that are copied to its hosts and containers."""
    host = draw(hosts())
    found = {p.removeprefix("var/www/shop/"): data for p, data in host.items() if p.startswith("var/www/shop/")}
    for path, data in host.items():
        if path.startswith("etc/supervisor/conf.d/"):
            found[f"docker/{path.removeprefix('etc/supervisor/conf.d/')}"] = data
        elif path.startswith("etc/cron"):
            found[f"docker/cron/{path.rpartition('/')[2]}"] = data
    found["composer.json"] = b'{"name": "laravel/laravel"}\n'
    if draw(st.booleans()):
        found["docker/supervisord.conf"] = MAIN.replace("conf.d/*.conf", "/etc/supervisor/conf.d/*.conf").encode()
        user = draw(words(["", "USER www-data\n"]))
        found["Dockerfile"] = (
            "FROM php:8.2-cli\nCOPY docker/supervisord.conf /etc/supervisor/supervisord.conf\n"
            f"COPY docker/*.conf /etc/supervisor/conf.d/\nCOPY . /var/www/shop\nWORKDIR /var/www/shop\n{user}"
            'CMD ["supervisord", "-n", "-c", "/etc/supervisor/supervisord.conf"]\n'
        ).encode()
    if draw(st.booleans()):
        run = draw(words(["supervisord -n", "php artisan queue:work --timeout=300", "php artisan horizon"]))
        found["docker-compose.yml"] = (COMPOSE % (run, draw(words(["5s", "2m", "1h"])))).encode()
    return found
