"""Every rule says where it comes from, and the pages made from the rules are fresh."""

from __future__ import annotations

import re
from pathlib import Path

import bibtexparser
import pytest

import clinical_sources
from crs.guidelines import guideline, guideline_ids
from crs.guidelines.schema import Guideline, Source
from crs.models.parameters import load_model, model_ids

EXPECTED = {
    "astct-2019",
    "blinatumomab-after-crs",
    "blinatumomab-start",
    "cartox-2018",
    "ctcae-5",
    "high-dose-vasopressors",
    "lee-2014",
    "management-asco-2021",
    "methylprednisolone-asco-grade-4",
    "mskcc-2018",
    "penn-2018",
    "siltuximab",
    "steroid-equivalence",
    "tocilizumab-crs",
    "tocilizumab-vials",
    "vasopressor-equivalents",
}
# Nobody has read these in a source. One may leave this list only when somebody has.
RECALLED = {
    ("high-dose-vasopressors", "norepinephrine"),
    ("high-dose-vasopressors", "dopamine"),
    ("high-dose-vasopressors", "phenylephrine"),
    ("high-dose-vasopressors", "epinephrine"),
    ("high-dose-vasopressors", "with-vasopressin"),
    ("high-dose-vasopressors", "combination"),
    ("vasopressor-equivalents", "norepinephrine"),
    ("vasopressor-equivalents", "dopamine"),
    ("vasopressor-equivalents", "epinephrine"),
    ("vasopressor-equivalents", "phenylephrine"),
    ("management-asco-2021", "dexamethasone-persistent-hypotension"),
    ("management-asco-2021", "methylprednisolone-icans-grade-4"),
}
TABLES = [guideline(name) for name in guideline_ids()]


def sources() -> list[tuple[str, Source]]:
    return [
        (table.id, source) for table in TABLES for source in (table.source, *table.further_sources)
    ]


@pytest.fixture(scope="module")
def entries() -> list[dict[str, str]]:
    path = Path(__file__).parents[2] / "course" / "references.bib"
    found: list[dict[str, str]] = bibtexparser.loads(path.read_text(encoding="utf-8")).entries
    return found


def test_all_guidelines_are_there() -> None:
    assert set(guideline_ids()) == EXPECTED


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.id)
def test_every_rule_has_words_a_source_and_a_status(table: Guideline) -> None:
    assert table.edition
    for source in (table.source, *table.further_sources):
        assert all([source.authors, source.title, source.journal, source.where])
    for row in table.rows:
        assert row.text
        assert row.status in ("read", "recalled", "convention")
        assert not row.text.endswith(".")
    for constant in table.constants.values():
        assert constant.text
        assert constant.unit
    for item in table.inputs:
        assert item.meaning


def test_what_is_recalled_is_known_and_nothing_else_is() -> None:
    found = {(t.id, row.id) for t in TABLES for row in t.rows if row.status == "recalled"}
    assert found == RECALLED


def test_every_source_can_be_found() -> None:
    # The correction of Penn is named in the note of the article's own entry.
    without = [s.title for _, s in sources() if s.doi is None and s.url is None]
    assert without == [
        "Correction to: Grading of cytokine release syndrome associated with the CAR T cell "
        "therapy tisagenlecleucel"
    ]


def test_every_source_is_in_the_references(entries: list[dict[str, str]]) -> None:
    dois = {entry["doi"] for entry in entries if "doi" in entry}
    urls = {entry["url"] for entry in entries if "url" in entry}
    for name, source in sources():
        if source.doi is not None:
            assert source.doi in dois, name
        elif source.url is not None:
            assert any(source.url.startswith(url) for url in urls), (name, source.url)


def test_references_are_whole_and_unique(entries: list[dict[str, str]]) -> None:
    keys = [entry["ID"] for entry in entries]
    assert len(keys) == len(set(keys)) >= 14
    dois = [entry["doi"] for entry in entries if "doi" in entry]
    assert len(dois) == len(set(dois))
    for entry in entries:
        assert entry.get("author"), entry["ID"]
        assert entry.get("title"), entry["ID"]
        assert entry.get("doi") or entry.get("url"), entry["ID"]
        if entry["ENTRYTYPE"] == "article":
            assert entry["doi"].startswith("10."), entry["ID"]


def test_the_page_of_sources_is_fresh() -> None:
    assert clinical_sources.TARGET.read_text(encoding="utf-8") == clinical_sources.page()


def test_the_page_of_sources_shows_every_rule() -> None:
    page = clinical_sources.page()
    for table in TABLES:
        assert f"`{table.id}.yaml`" in page
        for row in table.rows:
            assert row.text.replace("\n", " ") in page
    assert "| all | " in page


def test_the_page_of_sources_shows_every_number_of_the_models() -> None:
    page = clinical_sources.page()
    for model_id in model_ids():
        model = load_model(model_id)
        section = page.split(f"### {model.title}\n")[1].split("\n### ")[0]
        for source in model.sources.values():
            assert source in section
        for name, one in model.parameters.items():
            row = next(line for line in section.splitlines() if line.startswith(f"| `{name}` |"))
            assert f"| {one.value:g} | {one.unit} |" in row
            assert row.endswith(f"| {one.source} | {one.status} |")


def test_addresses_of_the_models_are_in_the_bibliography(entries: list[dict[str, str]]) -> None:
    named = [source for model_id in model_ids() for source in load_model(model_id).sources.values()]
    found = {match[1] for source in named if (match := re.search(r"doi:(\S+)", source))}
    assert len(found) >= 4
    assert found <= {entry["doi"] for entry in entries if "doi" in entry}
