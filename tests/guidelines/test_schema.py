"""A wrong guideline file is refused, with the file and the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from crs.errors import CourseError, InvalidFile, InvalidInput
from crs.guidelines import guideline, guideline_ids
from crs.guidelines.engine import first_row
from crs.guidelines.loader import guideline_folder, read_guideline

SCALE = """\
id: example
title: An example
short_title: Example
edition: "1"
kind: grading-scale
source: {authors: A, title: T, journal: J, year: 2020, where: table 1}
inputs:
  - {name: temp_c, meaning: temperature, kind: number, unit: °C}
  - {name: treated, meaning: treated, kind: boolean, default: false}
  - {name: oxygen, meaning: device, kind: choice, choices: [room air, mask], default: room air}
refused:
  - when: temp_c < 0
    input: temp_c
    allowed: above 0
gate:
  text: not treated
  when: treated == false
  status: read
rows:
  - id: fever
    text: Fever
    when: temp_c >= 38.0
    gives: {grade: 1}
    status: read
  - id: mask
    text: A mask
    when: oxygen == mask
    gives: {grade: 3}
    status: convention
"""


def write(folder: Path, text: str, name: str = "example.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_example_is_right(tmp_path: Path) -> None:
    table = read_guideline(write(tmp_path, SCALE))
    assert [row.id for row in table.rows] == ["fever", "mask"]


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("    text: A mask", "    txt: A mask", 25, "text"),
        ("    text: Fever\n", "    text: Fever\n    colour: red\n", 22, "colour"),
        ("    when: oxygen == mask", "    when: oxigen == mask", 27, "'oxigen' is not among"),
        ("    when: oxygen == mask", "    when: oxygen == tent", 27, "'tent' is not a choice"),
        ("    when: oxygen == mask", "    when: oxygen >= 3", 27, "not a choice"),
        ("    when: oxygen == mask", "    when: oxygen in mask", 27, "words in brackets"),
        ("    when: temp_c >= 38.0", "    when: temp_c => 38.0", 22, "temp_c"),
        ("    when: temp_c >= 38.0", "    when: temp_c ≥ 38.0", 22, "is not a comparison"),
        ("    when: temp_c >= 38.0", "    when: temp_c >= hot", 22, "needs a number"),
        ("    when: temp_c >= 38.0", "    when: temp_c == true", 22, "temp_c is a number"),
        ("    when: temp_c >= 38.0", "    when: treated == 1", 22, "true or false"),
        ("    when: temp_c >= 38.0", "    when: {some: [temp_c > 38]}", 22, "is not a condition"),
        ("    when: temp_c >= 38.0", "    when: {all: []}", 22, "is not a condition"),
        ("    status: convention", "    status: verified", 29, "status"),
        ("  - id: mask", "  - id: fever", 25, "two rows are called 'fever'"),
        ("    gives: {grade: 3}", "    gives: {level: 3}", 28, "gives grade"),
        ("    gives: {grade: 3}", "    gives: {grade: 5}", 28, "from 1 to 4"),
        ("    gives: {grade: 3}", "    gives: {grade: true}", 28, "from 1 to 4"),
        ("  when: treated == false", "  when: treatd == false", 17, "'treatd' is not among"),
        ("  - when: temp_c < 0", "  - when: temp < 0", 12, "'temp' is not among"),
        ("    input: temp_c", "    input: temp", 13, "'temp' is not among"),
        ("kind: grading-scale", "kind: scale", 5, "kind"),
        ("id: example\n", "id: exemple\n", 1, "'exemple'"),
        ("year: 2020", "year: twenty", 6, "year"),
        ("kind: boolean, default: false", "kind: boolean, default: 0", 9, "default"),
        ("default: room air}", "default: air}", 10, "default"),
        ("choices: [room air, mask]", "minimum: 1", 10, "choices"),
        ("unit: °C}", "unit: °C, above: 0, minimum: 0}", 8, "not both"),
        ("title: An example\n", "title: An example\ntitle: Another\n", 3, "stands twice"),
        ("    text: Fever\n", "    text: Fever: high\n", 21, "not valid YAML"),
        ("rows:\n", "rows: []\nnotes:\n", 19, "rows"),
    ],
)
def test_a_mistake_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, says: str
) -> None:
    assert SCALE.count(old) == 1
    path = write(tmp_path, SCALE.replace(old, new))
    with pytest.raises(InvalidFile) as caught:
        read_guideline(path)
    error = caught.value
    assert (error.file, error.line) == (path, line), error
    assert says in error.problem
    assert str(error).startswith(f"example.yaml, line {line}: ")
    assert isinstance(error, CourseError)


def test_an_action_that_nothing_gives_cannot_be_replaced(tmp_path: Path) -> None:
    source = (guideline_folder() / "management-asco-2021.yaml").read_text(encoding="utf-8")
    wrong = source.replace(
        "replaces: dexamethasone-10mg-q12h, dexamethasone-10mg-q6h",
        "replaces: dexamethasone-10mg-q12h, dexamethasone-10mg-q8h",
    )
    assert wrong != source
    with pytest.raises(InvalidFile, match="q8h', which no row gives as its action"):
        read_guideline(write(tmp_path, wrong, "management-asco-2021.yaml"))


@pytest.mark.parametrize("text", ["", "- a list", "just words"])
def test_a_file_that_holds_no_table_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidFile, match=r"example\.yaml, line 1"):
        read_guideline(write(tmp_path, text))


def test_an_unknown_guideline_is_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        guideline("astct-2018")
    assert (caught.value.field, caught.value.value) == ("guideline_id", "astct-2018")
    assert "astct-2019" in caught.value.allowed


def test_a_lookup_that_no_row_covers_is_refused(tmp_path: Path) -> None:
    table = read_guideline(
        write(tmp_path, SCALE.replace("kind: grading-scale", "kind: lookup-table"))
    )
    assert first_row(table, {"temp_c": 39.0}).row.id == "fever"
    with pytest.raises(InvalidInput, match="covered by a row of An example"):
        first_row(table, {"temp_c": 37.0})
    with pytest.raises(InvalidInput, match="covered by a row"):
        first_row(table, {"temp_c": 39.0, "treated": True})


@pytest.mark.parametrize("name", guideline_ids())
def test_a_mutilated_row_of_any_real_file_is_refused(tmp_path: Path, name: str) -> None:
    source = (guideline_folder() / f"{name}.yaml").read_text(encoding="utf-8")
    before, _, after = source.rpartition("    status: ")
    line = before.count("\n") + 1
    path = write(tmp_path, f"{before}    status: sure, {after}", f"{name}.yaml")
    with pytest.raises(InvalidFile) as caught:
        read_guideline(path)
    assert caught.value.line == line
