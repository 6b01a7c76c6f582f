"""Helm charts: what their templates run with the values that the chart brings, and what stays open."""

from __future__ import annotations

import pathlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.sources.repository.helm import filled
from auditor.sources.repository.model import Files
from auditor.sources.tree import Tree
from tests.repository.test_repository import APP, launch_of, service_of, site_of

CHART = {"chart/Chart.yaml": "name: shop\n"}
DEPLOYMENT = """{{- if .Values.worker.enabled }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "shop.fullname" . }}-worker
  labels:
    {{- include "shop.labels" . | nindent 4 }}
    {{- with .Values.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- if not .Values.scaling.enabled }}
  replicas: {{ .Values.worker.replicas }}
  {{- end }}
  template:
    spec:
      terminationGracePeriodSeconds: {{ .Values.worker.grace | default 45 }}
      containers:
        - name: {{ .Chart.Name }}
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
          args:
            {{- toYaml .Values.worker.args | nindent 12 }}
          env:
            - name: QUEUE_CONNECTION
              value: {{ .Values.connection | quote }}
            {{- range .Values.more }}
            - name: {{ .name }}
            {{- end }}
          resources:
            {{- toYaml .Values.worker.resources | nindent 12 }}
{{- end }}
"""
VALUES = """connection: redis
image: {repository: php, tag: 8.3-cli}
labels: {}
more: []
scaling: {enabled: false}
worker:
  enabled: true
  replicas: 3
  grace: null
  args: [php, artisan, queue:work, --timeout=90]
  resources: {limits: {memory: 512Mi}}
"""
FILES = {**APP, **CHART, "chart/templates/worker.yaml": DEPLOYMENT, "chart/values.yaml": VALUES}


def filled_in(folder: pathlib.Path, values: str, template: str) -> list[str]:
    """A template with these values in place, once for each turn of its ranges."""
    for name, text in {"Chart.yaml": "", "values.yaml": values, "templates/x.yaml": template}.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(text)
    return filled(Files(Tree(folder), {}), "templates/x.yaml")


def test_values_are_put_in(tmp_path: pathlib.Path) -> None:
    """Command, count, time to stop, memory and environment stand in the chart's values; the place is the template's."""
    site = site_of(tmp_path, FILES)
    launch, service = launch_of(site, "worker"), service_of(site, "worker")

    assert (launch.command.kind, launch.command.timeout, launch.processes) == ("queue:work", 90, 3)
    assert (service.stop_grace, service.memory, service.image) == (45, 512, "php:8.3-cli")
    assert dict(service.environment)["QUEUE_CONNECTION"] == "redis"
    place = launch.place
    assert place is not None
    assert (place.file, place.line) == ("chart/templates/worker.yaml", 21)
    assert site.worker_hints == ()


CHANGES = [
    ("grace: null", "grace: 120", {}, 120, 3),
    ("grace: null", "", {}, None, 3),
    ("replicas: 3", "", {}, 45, None),
    ("enabled: false", "enabled: true", {}, 45, 1),
    ("", "", {"chart/values-prod.yaml": "worker: {replicas: 8}\n"}, 45, None),
    ("", "", {"chart/values-prod.yaml": "worker: {replicas: 3}\n"}, 45, 3),
    ("", "", {"chart/values-prod.yaml": "worker: {grace: 60}\n"}, None, 3),
]


@pytest.mark.parametrize(("old", "new", "more", "grace", "count"), CHANGES)
def test_what_the_values_do_not_tell_is_not_known(
    tmp_path: pathlib.Path, old: str, new: str, more: dict[str, str], grace: float | None, count: int | None
) -> None:
    """A value that is missing, or that another file of values sets to something else, stays open."""
    site = site_of(tmp_path, {**FILES, "chart/values.yaml": VALUES.replace(old, new, 1), **more})
    launch, service = launch_of(site, "worker"), service_of(site, "worker")

    assert (None if service.is_unknown("stop_grace") else service.stop_grace) == grace
    assert (None if launch.is_unknown("processes") else launch.processes) == count


def test_what_the_values_switch_off_does_not_run(tmp_path: pathlib.Path) -> None:
    """The worker is there to be switched on: nothing is said of it, nor that none is there."""
    site = site_of(tmp_path, {**FILES, "chart/values.yaml": VALUES.replace("enabled: true", "enabled: false")})

    assert site.launches == ()
    assert site.worker_hints == ("chart/values.yaml",)


RANGE = """{{- range $name, $worker := .Values.workers }}
---
kind: Deployment
metadata:
  name: {{ $.Release.Name }}-{{ $name }}
spec:
  replicas: {{ $worker.replicas | default 1 }}
  template:
    spec:
      containers:
        - name: worker
          command: ["php", "artisan", "queue:work", "--queue={{ .queue }}"]
{{- end }}
---
kind: CronJob
metadata:
  name: schedule
spec:
  schedule: {{ .Values.schedule }}
  jobTemplate:
    spec:
      template:
        spec:
          containers:
            - name: schedule
              command: [php, artisan, schedule:run]
"""


def test_each_turn_of_a_range_is_a_worker(tmp_path: pathlib.Path) -> None:
    """What stands outside of it is read once."""
    values = "schedule: '* * * * *'\nworkers:\n  mails: {queue: mails}\n  slow: {queue: 'slow,slower', replicas: 2}\n"
    site = site_of(tmp_path, {**APP, **CHART, "chart/templates/all.yaml": RANGE, "chart/values.yaml": values})

    assert [(launch.name, launch.command.queues, launch.processes) for launch in site.launches] == [
        ("mails", ("mails",), 1),
        ("schedule", None, 1),
        ("slow", ("slow", "slower"), 2),
    ]
    assert service_of(site, "schedule").every_minute


EXPRESSIONS = [
    ("{{ .Values.a }}", "x"),
    ("{{- .Values.a -}}", "x"),
    ("{{ .Values.a | quote }}", "x"),
    ("{{ .Values.none }}", "{{ .Values.none }}"),
    ("{{ .Values.none | default 5 }}", "{{ .Values.none | default 5 }}"),
    ("{{ default 5 .Values.empty }}", "5"),
    ("{{ .Values.deep.b }}", "y: z"),
    ("{{ upper .Values.a }}", "X"),
    ("{{ printf `%s` .Values.a }}", "{{ printf `%s` .Values.a }}"),
    ("{{ .Values.list | toJson }}", "['1', '2']"),
    ("{{ .Release.Name }}", "{{ .Release.Name }}"),
]


@pytest.mark.parametrize(("written", "value"), EXPRESSIONS)
def test_an_expression(tmp_path: pathlib.Path, written: str, value: str) -> None:
    """What plainly stands in the values is put in, quoted where YAML wants it; the rest stays as it is written."""
    values = "a: x\nempty: ''\ndeep: {b: 'y: z'}\nlist: [1, 2]\n"
    (done,) = filled_in(tmp_path, values, f"key: {written}\n")

    assert done.removeprefix("key: ").strip().replace('"', "'").strip("'" if "[" not in value else "") == value


CONDITIONS = [
    ("if .Values.yes", "A"),
    ("if .Values.no", "B"),
    ("if not .Values.no", "A"),
    ("if and .Values.yes (not .Values.no)", "A"),
    ("if and .Values.no .Values.unknown", "B"),
    ("if or .Values.no .Values.unknown", "AB"),
    ('if eq .Values.kind "cli"', "A"),
    ('if ne .Values.kind "cli"', "B"),
    ("if .Values.unknown", "AB"),
    ("with .Values.none", "B"),
    ("if ((((", "AB"),
]


@pytest.mark.parametrize(("condition", "kept"), CONDITIONS)
def test_a_condition(tmp_path: pathlib.Path, condition: str, kept: str) -> None:
    """A branch that the values deny is left out; where they do not tell, both stay."""
    values = "yes: true\nno: false\nkind: cli\nnone: {}\n"
    template = f"{{{{- {condition} }}}}\nA\n{{{{- else }}}}\nB\n{{{{- end }}}}\n"
    (done,) = filled_in(tmp_path, values, template)

    assert "".join(done.split()) == kept
    assert done.count("\n") == template.count("\n")


PIECES = [
    "{{",
    "}}",
    "- ",
    "if ",
    "end",
    "else ",
    "range ",
    "with ",
    ".Values.a",
    "|",
    "(",
    ")",
    '"',
    "\n",
    "kind: ",
    "$x := ",
]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(PIECES), max_size=60))
def test_any_template_keeps_its_lines(tmp_path_factory: pytest.TempPathFactory, pieces: list[str]) -> None:
    """Whatever a template holds is filled in without an error, and each line stays on its number."""
    folder = tmp_path_factory.getbasetemp() / "chart"
    text = "".join(pieces) + "{{ .Values.a }}"

    for done in filled_in(folder, "a: [{b: 1}, 2]\n", text):
        assert done.count("\n") == text.count("\n")


HOSTILE = [
    "{{" * 2400 + "\n",
    "{{" + " " * 4900 + "\n",
    "{{/*" * 500 + "\n",
    "{{ range .Values.a }}\n",
    "{{ if }}x{{ end }}{{ end }}\n",
]


@pytest.mark.parametrize("line", HOSTILE)
def test_a_hostile_template_takes_no_time(tmp_path: pathlib.Path, line: str) -> None:
    """Thousands of lines that open what they never close are read in the time that their length takes."""
    begun = time.process_time()
    filled_in(tmp_path, "a: [1, 2]\n", line * min(1_000_000 // len(line), 19_000))

    assert time.process_time() - begun < 10


def test_a_block_that_begins_beside_other_text_ends_itself(tmp_path: pathlib.Path) -> None:
    """Its end closes no other block, and what stands after that is judged by its own."""
    template = "{{ if .Values.no }}\na: {{ if .Values.no }}\n{{ end }}\nb: 1\n{{ end }}\nc: {{ if .Values.no }}2{{ end }}\nd: 3\n"
    (done,) = filled_in(tmp_path, "no: false\n", template)

    assert done.split("\n") == ["", "", "", "", "", "c: {{ if .Values.no }}2{{ end }}", "d: 3", ""]
