"""Queues that an app's code names, and those of them that nothing polls."""

from __future__ import annotations

import pathlib

import pytest

from auditor.facts.census import take_census
from auditor.facts.laravel import App
from tests.repository.test_repository import APP, site_of

JOB = "<?php\nclass Job implements ShouldQueue {\n  %s\n}\n"
CODE = [
    ("SendMail::dispatch($x)->onQueue('mails');", ["mails"]),
    ('Bus::batch([])->allOnQueue("batches")->dispatch();', ["batches"]),
    ("$job?->onQueue('maybe');", ["maybe"]),
    ("Queue::pushOn('pushed', $job); Queue::laterOn('later', 60, $job);", ["pushed", "later"]),
    ("dispatch($job)->onQueue(config('queue.names.reports'));", ["reports"]),
    ("dispatch($job)->onQueue($name); dispatch($job)->onQueue('a' . $b); dispatch($job)->onQueue(\"a$b\");", []),
    ("dispatch($job)->onQueue(config('queue.none')); dispatch($job)->onQueue(config($x));", []),
    ("// dispatch($job)->onQueue('comment')\n$text = \"->onQueue('text')\";", []),
    ("class Form { public $queue = 'no job'; }", []),
]
JOBS = [
    ("public $queue = 'jobs';", ["jobs"]),
    ('public string $queue = "typed";', ["typed"]),
    ("public $queue;", []),
    ("function __construct() { $this->queue = 'set'; $this->onQueue('on'); }", ["set", "on"]),
    ("public function viaQueue() { return 'via'; }", ["via"]),
    ("public function viaQueues() { return ['mail' => 'm', 'database' => 'd']; }", ["m", "d"]),
]
CONFIG = APP["config/queue.php"].replace("return [", "return ['names' => ['reports' => 'reports'],")
CONF = "[program:w]\ncommand=php artisan queue:work redis --queue=default,served\n"


def app_of(folder: pathlib.Path, files: dict[str, str]) -> App:
    """The app of a repository of these files, as the census tells it."""
    site = site_of(folder, {**APP, "config/queue.php": CONFIG, "s.conf": CONF, **files})
    (subject,) = take_census(site).of("app")
    app = subject.roots[0]
    assert isinstance(app, App)
    return app


@pytest.mark.parametrize(
    ("text", "wanted"), [*((f"<?php\n{text}\n", w) for text, w in CODE), *((JOB % text, w) for text, w in JOBS)]
)
def test_queues_that_code_names(tmp_path: pathlib.Path, text: str, wanted: list[str]) -> None:
    """Names that are written out, or that the configuration gives; variables, comments and other classes name none."""
    app = app_of(tmp_path, {"app/Jobs/Job.php": text})

    assert [one.name for one in app.dispatches] == wanted
    assert app.unserved == tuple(wanted)


def test_where_a_queue_is_named(tmp_path: pathlib.Path) -> None:
    """The first place of each name; a queue that is polled, and one that only tests name, are not told."""
    files = {
        "app/A.php": "<?php\n\n$a->onQueue('served');\n$b->onQueue('lost');\n",
        "app/B.php": "<?php\n$b->onQueue('lost');\n",
        "tests/C.php": "<?php\n$b->onQueue('test');\n",
    }
    app = app_of(tmp_path, files)
    place = app.mark("unserved").origin

    assert app.unserved == ("lost",)
    assert place is not None
    assert (place.file, place.line) == ("app/A.php", 4)


DOUBTS = [
    {"w.conf": "[program:x]\ncommand=php artisan queue:work redis --queue=%(ENV_QUEUES)s\n"},
    {"w.conf": "[program:h]\ncommand=php artisan horizon\n"},
    {"deploy.tf": "command = php artisan queue:work --queue=lost"},
]


@pytest.mark.parametrize("files", DOUBTS)
def test_a_worker_that_may_poll_it_leaves_it_open(tmp_path: pathlib.Path, files: dict[str, str]) -> None:
    """Queues that are not known, Horizon without its configuration, and a mention that is not read."""
    app = app_of(tmp_path, {"app/A.php": "<?php\n$b->onQueue('lost');\n", **files})

    assert app.is_unknown("unserved")


def test_code_is_looked_through_only_where_something_starts_workers(tmp_path: pathlib.Path) -> None:
    """Without any, nothing is read for it."""
    site = site_of(tmp_path, {**APP, "app/A.php": "<?php\n$b->onQueue('lost');\n"})

    assert site.apps[0].dispatches == ()
