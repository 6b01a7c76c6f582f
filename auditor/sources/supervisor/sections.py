"""Merged sections become Section and Setting facts."""

from __future__ import annotations

from auditor.facts.origin import declared
from auditor.facts.supervisor import Section, Setting
from auditor.sources.supervisor.merge import Merged, Text, Written
from auditor.sources.supervisor.oddities import oddity
from auditor.sources.supervisor.reading import Reading
from auditor.sources.supervisor.vocabulary import is_known, nearest_option, nearest_section

_SETTING = ("section", "kind", "name", "value", "written", "known", "nearest", "refusal", "oddity")
_SECTION = ("name", "kind", "known", "nearest", "written", "settings")


def read_sections(text: Text) -> tuple[Section, ...]:
    """Every section that has a header, [DEFAULT] last."""
    found = [_section(section) for section in text.sections.values() if section.headers]
    if text.defaults.headers:
        found.append(_section(text.defaults))
    return tuple(found)


def _section(section: Merged) -> Section:
    known = section.kind != "unknown"
    return Section(
        name=section.name,
        kind=section.kind,
        known=known,
        nearest=None if known else nearest_section(section.name),
        written=tuple(section.headers),
        settings=tuple(_setting(section, written) for written in section.options.values()),
        marks=dict.fromkeys(_SECTION, declared(section.headers[-1])),
    )


def _setting(section: Merged, written: list[Written]) -> Setting:
    last = written[-1]
    known = is_known(section.kind, last.name)
    return Setting(
        section=section.name,
        kind=section.kind,
        name=last.name,
        value=last.shown,
        written=tuple([one.origin for one in written]),
        known=known,
        nearest=None if known else nearest_option(section.kind, last.name),
        refusal=last.refusal,
        oddity=last.oddity,
        marks=dict.fromkeys(_SETTING, last.mark),
    )


def tell_default(reading: Reading) -> None:
    """[DEFAULT] is not supervisor's idea, but its parser's: every option in it becomes every section's."""
    defaults = reading.text.defaults
    if defaults.options:
        names = ", ".join(sorted(defaults.options))
        reading.oddities.append(
            oddity(
                "default-section-leak",
                f"{names} become options of every section of every file",
                defaults.headers[-1],
                section="DEFAULT",
            )
        )
