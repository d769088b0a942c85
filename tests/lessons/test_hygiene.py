"""Every lesson is a clean file, is built the same way, and cites what it says."""

from __future__ import annotations

import ast
import itertools
import re
from pathlib import Path
from typing import Any

import bibtexparser
import nbformat
import pytest
from tests.lessons import lesson
from tests.lessons.style import complaints, folds_that_do_not_open, images_without_alt

import strip_notebooks

MOST_CODE_LINES = 15
MOST_IDEA_WORDS = 150
MOST_KEY_POINTS = 5
STEPS = ("Predict", "The idea", "Try it", "Think")
DISCLAIMER = "not for patient care"


@pytest.fixture(params=lesson.LESSONS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    chosen: Path = request.param
    return chosen


@pytest.fixture
def notebook(path: Path) -> Any:
    return lesson.read(path)


@pytest.fixture(scope="module")
def bibliography(root: Path) -> dict[str, dict[str, str]]:
    """Return the entries of the course's references that have a DOI, by DOI."""
    text = (root / "course" / "references.bib").read_text(encoding="utf-8")
    parser = bibtexparser.bparser.BibTexParser(common_strings=True, ignore_nonstandard_types=False)
    entries = bibtexparser.loads(text, parser).entries
    return {entry["doi"].lower(): entry for entry in entries if "doi" in entry}


def test_there_are_lessons_to_check() -> None:
    assert [path.stem for path in lesson.LESSONS] == [
        "05-grading",
        "06-treatment",
        "07-pharmacokinetics",
    ]


# --- the file -----------------------------------------------------------------------------------


def test_the_format_is_valid(notebook: Any) -> None:
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"


def test_outputs_are_stripped(notebook: Any) -> None:
    for cell in notebook.cells:
        assert not cell.metadata, cell.id
        if cell.cell_type == "code":
            assert cell.outputs == [], cell.id
            assert cell.execution_count is None, cell.id


def test_metadata_names_no_machine(notebook: Any) -> None:
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert dict(notebook.metadata.language_info) == {"name": "python"}


def test_cell_ids_are_slugs(notebook: Any) -> None:
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    for cell_id in ids:
        assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", cell_id), cell_id


def test_the_file_is_in_the_one_form_of_notebooks(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert strip_notebooks.stripped(text) == text


# --- how it is built ----------------------------------------------------------------------------


def test_one_title_and_no_skipped_level(notebook: Any) -> None:
    levels = [level for level, _ in lesson.headings(notebook)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    for before, after in itertools.pairwise(levels):
        assert after <= before + 1
    assert notebook.cells[0].source.startswith("# ")


def test_the_title_starts_with_the_number_of_the_module(path: Path, notebook: Any) -> None:
    assert lesson.headings(notebook)[0][1].startswith(path.stem[:2] + " ")


def test_the_sections_are_there_in_order(notebook: Any) -> None:
    found = [part.heading for part in lesson.parts(notebook, 2)]
    numbered = [heading for heading in found if re.match(r"\d+\. ", heading)]
    assert 3 <= len(numbered) <= 5
    assert [int(heading.split(".")[0]) for heading in numbered] == [
        *range(1, len(numbered) + 1),
    ]
    assert found == [
        "What you will be able to do",
        "Set up",
        *numbered,
        "A patient",
        "Check yourself",
        "Key points",
        "What this model leaves out",
        "References",
        "Next step",
    ]


def test_time_prerequisites_and_objectives_are_named(path: Path, notebook: Any) -> None:
    opening = notebook.cells[0].source
    minutes = re.search(r"\*\*Time:\*\* (\d+) minutes", opening)
    assert minutes
    assert 30 <= int(minutes[1]) <= 45
    assert "**Before you start:**" in opening
    objectives = lesson.section(notebook, "What you will be able to do").text
    numbers = re.findall(rf"\*\*LO{int(path.stem[:2])}\.(\d)\*\* \*[A-Z]\w+\*", objectives)
    assert numbers == [str(n) for n in range(1, len(numbers) + 1)]
    assert len(numbers) >= 3


def test_each_section_goes_from_prediction_to_folded_answer(notebook: Any) -> None:
    for part in lesson.numbered_sections(notebook):
        found = lesson.subsections(part)
        assert [name for name in found if name in STEPS] == list(STEPS), part.heading
        assert len(re.findall(r"^- \*\*[A-C]\.\*\* ", found["Predict"], re.MULTILINE)) == 3
        assert "how sure you are" in found["Predict"] or "And how much" in found["Predict"]
        assert "<details>" in found["Think"], part.heading
        assert "**Your prediction:**" in found["Think"], part.heading
        assert part.code, part.heading


def test_an_idea_is_short(notebook: Any) -> None:
    for part in lesson.numbered_sections(notebook):
        idea = lesson.subsections(part)["The idea"]
        assert 40 <= lesson.words(idea) <= MOST_IDEA_WORDS, (part.heading, lesson.words(idea))


def test_key_points_are_few(notebook: Any) -> None:
    points = re.findall(r"^\d+\. ", lesson.section(notebook, "Key points").text, re.MULTILINE)
    assert 3 <= len(points) <= MOST_KEY_POINTS


def test_it_says_once_that_it_is_not_for_patient_care(notebook: Any) -> None:
    assert "\n".join(lesson.markdown(notebook)).lower().count(DISCLAIMER) == 1
    assert DISCLAIMER in notebook.cells[0].source


def test_the_next_step_names_the_assignment(path: Path, notebook: Any) -> None:
    assert f"**{path.stem}**" in lesson.section(notebook, "Next step").text


# --- code ---------------------------------------------------------------------------------------


def test_code_cells_are_short_and_only_use_the_course(notebook: Any) -> None:
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        assert len(cell.source.splitlines()) <= MOST_CODE_LINES, cell.id
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] == "crs", cell.id
            assert not isinstance(node, ast.Import), cell.id


def test_every_shown_thing_is_introduced_in_words(notebook: Any) -> None:
    for before, cell in itertools.pairwise(notebook.cells):
        if cell.cell_type == "code":
            beside = before.cell_type == "markdown" or before.source.startswith("show_table")
            assert beside, cell.id


# --- words --------------------------------------------------------------------------------------


def test_the_words_keep_the_house_style(notebook: Any) -> None:
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            assert complaints(cell.source) == [], cell.id


def test_images_have_alternative_text(notebook: Any) -> None:
    for text in lesson.markdown(notebook):
        assert images_without_alt(text) == []


def test_folded_answers_render(notebook: Any) -> None:
    for text in lesson.markdown(notebook):
        assert folds_that_do_not_open(text) == []


# --- references ---------------------------------------------------------------------------------


def test_every_doi_is_in_the_bibliography(
    notebook: Any, bibliography: dict[str, dict[str, str]]
) -> None:
    used = set().union(*map(lesson.dois, lesson.markdown(notebook)))
    assert used
    assert {doi.lower() for doi in used} - set(bibliography) == set()


def test_references_agree_with_the_bibliography(
    notebook: Any, bibliography: dict[str, dict[str, str]]
) -> None:
    for number, line in lesson.references(notebook).items():
        found = lesson.dois(line)
        if not found:
            continue
        assert len(found) == 1, number
        entry = bibliography[found.pop().lower()]
        family = re.sub(r"[{}]", "", entry["author"]).split(",")[0].split(" and ")[0]
        assert line.startswith(_plain_letters(family)), (number, family)
        assert f" {entry['year']}" in line, number
        if "volume" in entry:
            assert f"{entry['year']};{entry['volume']}:" in line, number
        assert f"](https://doi.org/{entry['doi']})" in line, number


def test_every_reference_is_cited_and_every_citation_listed(notebook: Any) -> None:
    listed = list(lesson.references(notebook))
    assert listed == list(range(1, len(listed) + 1))
    assert set(lesson.cited(notebook)) == set(listed)


def test_references_are_numbered_in_the_order_of_citation(notebook: Any) -> None:
    assert list(dict.fromkeys(lesson.cited(notebook))) == list(lesson.references(notebook))


def _plain_letters(name: str) -> str:
    return re.sub(r"\\[`'\"^~c]\{?(\w)\}?", r"\1", name).strip()
