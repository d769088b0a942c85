"""Write docs/clinical-sources.md: rules and model parameters, with sources and statuses."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from crs.guidelines.loader import guideline, guideline_ids
from crs.guidelines.schema import Guideline
from crs.guidelines.tables import STATUS_WORDS, result_text, source_lines
from crs.models.parameters import Model, Parameter, load_model, model_ids
from crs.models.removal import CRP_HALF_LIFE
from crs.patients.virtual import population

TARGET = Path(__file__).resolve().parents[1] / "docs" / "clinical-sources.md"
INTRODUCTION = """\
# Clinical sources

Every clinical rule of the course and every number of its models, with where it comes from and how
far it was checked. This page is made from `course/crs/guidelines/*.yaml` and
`course/crs/models/values/*.yaml` by `python tools/clinical_sources.py`; change a rule or a number
there. For education only, not for patient care.

Each rule and each number has one status:

- **read**: read in a source. Often that source is a published transcription of the original table,
  as the source line then says.
- **recalled**: stated from general knowledge; nobody has read it in a source yet.
- **convention**: agreed by this course, where sources are silent or conflict.
- **calibrated**: fitted by this course. Only a number of a model can be that.
"""
MODELS_INTRODUCTION = """\
## Parameters of the models

What a typical patient has in the models of drugs and cells. A number that was read was read in the
source or in a published copy of its model. None of it predicts anything for a real person.
"""


def page() -> str:
    """Return the page as Markdown."""
    tables = [guideline(guideline_id) for guideline_id in guideline_ids()]
    models = [load_model(model_id) for model_id in model_ids()]
    parts = [
        INTRODUCTION,
        _summary(tables),
        *(_section(table) for table in tables),
        MODELS_INTRODUCTION,
        *(_model(model) for model in models),
        _beside_the_models(),
        _people(),
    ]
    return "\n".join(parts)


def _statuses(table: Guideline) -> list[str]:
    gate = [table.gate.status] if table.gate is not None else []
    constants = [constant.status for constant in table.constants.values()]
    return [*gate, *(row.status for row in table.rows), *constants]


def _summary(tables: list[Guideline]) -> str:
    lines = [
        "## At a glance",
        "",
        "| table | " + " | ".join(STATUS_WORDS) + " |",
        "| --- | " + " | ".join("--:" for _ in STATUS_WORDS) + " |",
    ]
    total: Counter[str] = Counter()
    for table in tables:
        counts = Counter(_statuses(table))
        total += counts
        cells = " | ".join(str(counts[status]) for status in STATUS_WORDS)
        lines.append(f"| {_cell(table.title)} | {cells} |")
    cells = " | ".join(str(total[status]) for status in STATUS_WORDS)
    return "\n".join([*lines, f"| all | {cells} |", ""])


def _section(table: Guideline) -> str:
    lines = [f"## {table.title}", "", f"Edition {table.edition}, in `{table.id}.yaml`.", ""]
    lines += [f"- Source: {line}" for line in source_lines(table)]
    lines += ["", "| gives | rule | condition | status | note |", "| --- | --- | --- | --- | --- |"]
    if table.gate is not None:
        gate = table.gate
        lines.append(
            _line("(applies only with)", gate.text, str(gate.when), gate.status, gate.note)
        )
    for row in table.rows:
        lines.append(_line(result_text(row), row.text, str(row.when), row.status, row.note))
    for name, constant in table.constants.items():
        given = f"{name} = {constant.value:g} {constant.unit}"
        lines.append(_line(given, constant.text, "", constant.status, constant.note))
    lines.append("")
    if table.notes:
        lines += [f"- {note}" for note in table.notes] + [""]
    return "\n".join(lines)


def _model(model: Model) -> str:
    lines = [f"### {model.title}", "", model.about, "", f"In `{model.id}.yaml`.", ""]
    lines += [f"- `{key}`: {source}" for key, source in model.sources.items()]
    return "\n".join([*lines, "", *_parameters(model.parameters), ""])


def _beside_the_models() -> str:
    lines = ["### C-reactive protein", "", "In `removal.py`.", ""]
    return "\n".join([*lines, *_parameters({"half_life": CRP_HALF_LIFE}), ""])


def _people() -> str:
    people = population()
    lines = [
        "### How virtual patients differ",
        "",
        "Middle and spread of what differs from the typical patient: median and standard deviation "
        "of the logarithm, or mean and standard deviation.",
        "",
        f"In `{people.id}.yaml`.",
        "",
        *(f"- `{key}`: {source}" for key, source in people.sources.items()),
        "",
        "| effect | kind | middle | spread | unit | meaning | source | status |",
        "| --- | --- | --: | --: | --- | --- | --- | --- |",
    ]
    for name, one in people.effects.items():
        sizes = (one.kind, f"{one.middle:g}", f"{one.spread:g}")
        cells = (f"`{name}`", *sizes, one.unit, one.meaning, one.source, one.status)
        lines.append("| " + " | ".join(map(_cell, cells)) + " |")
    return "\n".join([*lines, ""])


def _parameters(parameters: Mapping[str, Parameter]) -> list[str]:
    lines = [
        "| parameter | value | unit | meaning | source | status |",
        "| --- | --: | --- | --- | --- | --- |",
    ]
    for name, one in parameters.items():
        cells = (f"`{name}`", f"{one.value:g}", one.unit, one.meaning, one.source, one.status)
        lines.append("| " + " | ".join(map(_cell, cells)) + " |")
    return lines


def _line(gives: str, rule: str, condition: str, status: str, note: str) -> str:
    code = f"`{condition}`" if condition else ""
    return "| " + " | ".join(_cell(text) for text in (gives, rule, code, status, note)) + " |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def main() -> int:
    """Write the page, or with ``--check`` only say whether it is fresh."""
    fresh = TARGET.exists() and TARGET.read_text(encoding="utf-8") == page()
    if "--check" in sys.argv[1:]:
        print(f"{TARGET.name} is {'fresh' if fresh else 'stale; run tools/clinical_sources.py'}")
        return 0 if fresh else 1
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(page(), encoding="utf-8")
    print(
        f"{TARGET.name} written from {len(guideline_ids())} guideline files and "
        f"{len(model_ids())} models"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
