"""The table of symptoms: what operators notice, and what can be behind it."""

from __future__ import annotations

from auditor.diagnosis import Symptoms
from auditor.dialects import yaml_table
from auditor.errors import Unreadable
from auditor.places import data_dir

_FILE = "symptoms.yaml"


class SymptomsRefused(Unreadable):
    """The table of symptoms is not one: its file, the line and why."""


def load_symptoms() -> Symptoms:
    """The shipped table; raises SymptomsRefused."""
    table, lines = yaml_table.read(data_dir("templates") / _FILE, _FILE, Symptoms, SymptomsRefused)
    for name, symptom in table.symptoms.items():
        for cause in symptom.causes:
            if cause not in table.causes:
                line = yaml_table.line_of(lines, ("symptoms", name, "causes", cause))
                raise SymptomsRefused(_FILE, f"there is no cause “{cause}”", line)
    return table
