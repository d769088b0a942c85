"""``make learn`` copies the course to ``work/`` and never writes over a learner's own edits."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

import learn

DAY_1 = datetime.date(2026, 11, 21)
DAY_2 = datetime.date(2026, 12, 24)

MODULES = """
title: A course
summary: What it teaches.
disclaimer: For education only.
modules:
  - {name: 05-grading, title: 05 Grading, teaches: scales}
  - {name: 06-treatment, title: 06 Treatment, teaches: doses}
"""


def notebook(*sources: str, outputs: list[dict[str, Any]] | None = None, indent: int = 1) -> str:
    cells: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "execution_count": 1 if outputs else None,
            "id": f"cell-{number}",
            "metadata": {},
            "outputs": outputs or [],
            "source": source.splitlines(keepends=True),
        }
        for number, source in enumerate(sources)
    ]
    return json.dumps(
        {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=indent
    )


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Return a small checkout: one lesson, one assignment with a data file."""
    root = tmp_path / "checkout"
    (root / "course").mkdir(parents=True)
    (root / "release" / "05-grading" / "data").mkdir(parents=True)
    (root / "course" / "modules.yaml").write_text(MODULES)
    (root / "course" / "05-grading.ipynb").write_text(notebook("lesson, first edition"))
    (root / "release" / "05-grading" / "grading.ipynb").write_text(notebook("task 1", "task 2"))
    (root / "release" / "05-grading" / "data" / "table.csv").write_text("a,b\n1,2\n")
    return root


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "work"


def outcomes(results: list[learn.Placed]) -> dict[str, str]:
    return {result.name: result.outcome for result in results}


def test_a_first_run_places_everything(course: Path, work: Path) -> None:
    results = learn.place_all(course, work, DAY_1)

    assert outcomes(results) == {"05-grading.ipynb": "placed", "05-grading": "placed"}
    for name in ("course/05-grading.ipynb", "release/05-grading/grading.ipynb"):
        copy = work / name.split("/", 1)[1]
        assert copy.read_bytes() == (course / name).read_bytes()
    assert (work / "05-grading" / "data" / "table.csv").read_text() == "a,b\n1,2\n"


def test_a_second_run_changes_nothing(course: Path, work: Path) -> None:
    learn.place_all(course, work, DAY_1)
    before = {path: path.read_bytes() for path in work.rglob("*") if path.is_file()}

    results = learn.place_all(course, work, DAY_2)

    assert set(outcomes(results).values()) == {"current"}
    assert {path: path.read_bytes() for path in work.rglob("*") if path.is_file()} == before


def test_an_untouched_lesson_is_brought_up_to_date(course: Path, work: Path) -> None:
    learn.place_all(course, work, DAY_1)
    (course / "course" / "05-grading.ipynb").write_text(notebook("lesson, second edition"))

    results = learn.place_all(course, work, DAY_2)

    assert outcomes(results)["05-grading.ipynb"] == "updated"
    assert "second edition" in (work / "05-grading.ipynb").read_text()
    assert not list(work.glob("*.new-*"))


def test_running_a_lesson_is_not_editing_it(course: Path, work: Path) -> None:
    learn.place_all(course, work, DAY_1)
    ran = notebook(
        "lesson, first edition",
        outputs=[{"name": "stdout", "output_type": "stream", "text": ["hello"]}],
        indent=2,
    )
    (work / "05-grading.ipynb").write_text(ran)
    (course / "course" / "05-grading.ipynb").write_text(notebook("lesson, second edition"))

    results = learn.place_all(course, work, DAY_2)

    assert outcomes(results)["05-grading.ipynb"] == "updated"


def test_outputs_stay_while_the_lesson_is_the_same(course: Path, work: Path) -> None:
    learn.place_all(course, work, DAY_1)
    ran = notebook(
        "lesson, first edition",
        outputs=[{"name": "stdout", "output_type": "stream", "text": ["hello"]}],
    )
    (work / "05-grading.ipynb").write_text(ran)

    learn.place_all(course, work, DAY_2)

    assert (work / "05-grading.ipynb").read_text() == ran


def test_an_edited_lesson_stays_and_the_newer_one_lies_beside_it(course: Path, work: Path) -> None:
    learn.place_all(course, work, DAY_1)
    mine = notebook("lesson, first edition", "my notes")
    (work / "05-grading.ipynb").write_text(mine)
    (course / "course" / "05-grading.ipynb").write_text(notebook("lesson, second edition"))

    results = learn.place_all(course, work, DAY_2)

    assert results[0] == learn.Placed(
        "05-grading.ipynb", "beside", "05-grading.new-2026-12-24.ipynb"
    )
    assert (work / "05-grading.ipynb").read_text() == mine
    assert "second edition" in (work / "05-grading.new-2026-12-24.ipynb").read_text()
    assert "05-grading.new-2026-12-24.ipynb" in (work / "START.md").read_text()


def test_the_same_release_is_offered_once(course: Path, work: Path) -> None:
    learn.place_all(course, work, DAY_1)
    (work / "05-grading.ipynb").write_text(notebook("mine"))
    (course / "course" / "05-grading.ipynb").write_text(notebook("lesson, second edition"))
    learn.place_all(course, work, DAY_2)

    again = learn.place_all(course, work, DAY_2 + datetime.timedelta(days=3))

    assert outcomes(again)["05-grading.ipynb"] == "kept"
    assert [path.name for path in work.glob("*.new-*")] == ["05-grading.new-2026-12-24.ipynb"]
    assert "05-grading.new-2026-12-24.ipynb" in (work / "START.md").read_text()


def test_a_newer_one_thrown_away_is_not_brought_back(course: Path, work: Path) -> None:
    learn.place_all(course, work, DAY_1)
    (work / "05-grading.ipynb").write_text(notebook("mine"))
    (course / "course" / "05-grading.ipynb").write_text(notebook("lesson, second edition"))
    learn.place_all(course, work, DAY_2)
    (work / "05-grading.new-2026-12-24.ipynb").unlink()

    again = learn.place_all(course, work, DAY_2)

    assert outcomes(again)["05-grading.ipynb"] == "kept"
    assert not list(work.glob("*.new-*"))
    assert ".new-" not in (work / "START.md").read_text()


def test_two_newer_releases_on_one_day_get_two_names(course: Path, work: Path) -> None:
    learn.place_all(course, work, DAY_1)
    (work / "05-grading.ipynb").write_text(notebook("mine"))
    for edition in ("second", "third"):
        (course / "course" / "05-grading.ipynb").write_text(notebook(f"lesson, {edition} edition"))
        learn.place_all(course, work, DAY_2)

    assert "second" in (work / "05-grading.new-2026-12-24.ipynb").read_text()
    assert "third" in (work / "05-grading.new-2026-12-24-2.ipynb").read_text()


def test_answers_stay_while_the_assignment_is_the_same(course: Path, work: Path) -> None:
    learn.place_all(course, work, DAY_1)
    mine = notebook("my answer", "task 2")
    (work / "05-grading" / "grading.ipynb").write_text(mine)

    results = learn.place_all(course, work, DAY_2)

    assert outcomes(results)["05-grading"] == "kept"
    assert (work / "05-grading" / "grading.ipynb").read_text() == mine
    assert not list(work.glob("*.new-*"))


def test_a_newer_assignment_is_put_beside_the_answers_as_a_whole_folder(
    course: Path, work: Path
) -> None:
    learn.place_all(course, work, DAY_1)
    mine = notebook("my answer", "task 2")
    (work / "05-grading" / "grading.ipynb").write_text(mine)
    (course / "release" / "05-grading" / "grading.ipynb").write_text(notebook("task 1, reworded"))
    (course / "release" / "05-grading" / "data" / "table.csv").write_text("a,b\n3,4\n")

    results = learn.place_all(course, work, DAY_2)

    beside = work / "05-grading.new-2026-12-24"
    assert outcomes(results)["05-grading"] == "beside"
    assert "reworded" in (beside / "grading.ipynb").read_text()
    assert (beside / "data" / "table.csv").read_text() == "a,b\n3,4\n"
    # The learner's folder is as it was, its data included: both belong to one release.
    assert (work / "05-grading" / "grading.ipynb").read_text() == mine
    assert (work / "05-grading" / "data" / "table.csv").read_text() == "a,b\n1,2\n"
    assert sorted(path.name for path in (work / "05-grading").iterdir()) == [
        "data",
        "grading.ipynb",
    ]


def test_corrected_data_reaches_a_learner_who_is_at_work(course: Path, work: Path) -> None:
    learn.place_all(course, work, DAY_1)
    mine = notebook("my answer", "task 2")
    (work / "05-grading" / "grading.ipynb").write_text(mine)
    (course / "release" / "05-grading" / "data" / "table.csv").write_text("a,b\n3,4\n")

    results = learn.place_all(course, work, DAY_2)

    assert outcomes(results)["05-grading"] == "updated"
    assert (work / "05-grading" / "data" / "table.csv").read_text() == "a,b\n3,4\n"
    assert (work / "05-grading" / "grading.ipynb").read_text() == mine


def test_a_learner_who_already_has_the_newer_text_is_left_alone(course: Path, work: Path) -> None:
    learn.place_all(course, work, DAY_1)
    second = notebook("lesson, second edition")
    (work / "05-grading.ipynb").write_text(second)
    (course / "course" / "05-grading.ipynb").write_text(second)

    assert outcomes(learn.place_all(course, work, DAY_2))["05-grading.ipynb"] == "current"
    # From here on the file counts as placed, so the next edition replaces it.
    (course / "course" / "05-grading.ipynb").write_text(notebook("lesson, third edition"))
    assert outcomes(learn.place_all(course, work, DAY_2))["05-grading.ipynb"] == "updated"


def test_a_deleted_notebook_comes_back_fresh(course: Path, work: Path) -> None:
    learn.place_all(course, work, DAY_1)
    (work / "05-grading.ipynb").unlink()

    assert outcomes(learn.place_all(course, work, DAY_2))["05-grading.ipynb"] == "placed"
    assert "first edition" in (work / "05-grading.ipynb").read_text()


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"placed": 3, "offered": {}, "beside": {}}'])
def test_without_a_manifest_nothing_is_written_over(course: Path, work: Path, damage: str) -> None:
    learn.place_all(course, work, DAY_1)
    mine = notebook("mine")
    (work / "05-grading.ipynb").write_text(mine)
    (work / learn.MANIFEST_NAME).write_text(damage)

    results = learn.place_all(course, work, DAY_2)

    assert outcomes(results)["05-grading.ipynb"] == "beside"
    assert (work / "05-grading.ipynb").read_text() == mine


def test_a_damaged_notebook_is_the_learners_own(course: Path, work: Path) -> None:
    learn.place_all(course, work, DAY_1)
    (work / "05-grading.ipynb").write_text('{"cells": [')
    (course / "course" / "05-grading.ipynb").write_text(notebook("lesson, second edition"))

    results = learn.place_all(course, work, DAY_2)

    assert outcomes(results)["05-grading.ipynb"] == "beside"
    assert (work / "05-grading.ipynb").read_text() == '{"cells": ['


def test_a_link_or_a_folder_in_the_way_is_not_followed(course: Path, work: Path) -> None:
    elsewhere = work.parent / "elsewhere.ipynb"
    elsewhere.write_text(notebook("lesson, first edition"))
    work.mkdir()
    (work / "05-grading.ipynb").symlink_to(elsewhere)
    (work / "05-grading" / "grading.ipynb").mkdir(parents=True)

    results = learn.place_all(course, work, DAY_1)

    assert outcomes(results) == {"05-grading.ipynb": "beside", "05-grading": "beside"}
    assert (work / "05-grading.ipynb").is_symlink()
    assert elsewhere.read_text() == notebook("lesson, first edition")


def test_files_of_the_learner_are_left_alone(course: Path, work: Path) -> None:
    learn.place_all(course, work, DAY_1)
    (work / "notes.md").write_text("mine")
    (work / "05-grading" / "scratch.ipynb").write_text("mine")

    learn.place_all(course, work, DAY_2)

    assert (work / "notes.md").read_text() == "mine"
    assert (work / "05-grading" / "scratch.ipynb").read_text() == "mine"


def test_the_start_page_links_what_there_is(course: Path, work: Path) -> None:
    learn.place_all(course, work, DAY_1)
    page = (work / "START.md").read_text()
    rows = {line.split("**")[1]: line for line in page.splitlines() if line.startswith("| **")}

    assert "[Lesson](05-grading.ipynb)" in rows["05 Grading"]
    assert "[Assignment](05-grading/grading.ipynb)" in rows["05 Grading"]
    assert rows["05 Grading"].endswith("| ready |")
    assert rows["06 Treatment"].endswith("| in preparation |")
    assert "](" not in rows["06 Treatment"]
    assert "For education only." in page


def test_the_start_page_follows_the_course_and_notes_in_it_stay(course: Path, work: Path) -> None:
    learn.place_all(course, work, DAY_1)
    (course / "course" / "06-treatment.ipynb").write_text(notebook("lesson 6"))
    learn.place_all(course, work, DAY_1)
    assert "[Lesson](06-treatment.ipynb)" in (work / "START.md").read_text()

    (work / "START.md").write_text("my notes")
    (course / "release" / "06-treatment").mkdir()
    (course / "release" / "06-treatment" / "treatment.ipynb").write_text(notebook("task"))
    learn.place_all(course, work, DAY_2)
    assert (work / "START.md").read_text() == "my notes"
    assert "treatment.ipynb" in (work / "START.new-2026-12-24.md").read_text()


def test_the_real_start_page_names_nine_modules(root: Path) -> None:
    page = learn.start_page(root, [])
    rows = [line for line in page.splitlines() if line.startswith("| **")]
    assert [row[4:6] for row in rows] == [f"{number:02d}" for number in range(9)]


@pytest.mark.parametrize(
    ("environment", "platform", "expected"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"DISPLAY": ":0", "NO_BROWSER": "1"}, "linux", False),
        ({"DISPLAY": ":0", "CI": "true"}, "linux", False),
        ({}, "darwin", True),
        ({"NO_BROWSER": "1"}, "win32", False),
        ({"NO_BROWSER": "0"}, "win32", True),
    ],
)
def test_when_a_browser_window_opens(
    environment: dict[str, str], platform: str, expected: bool
) -> None:
    assert learn.wants_browser(environment, platform) is expected


@pytest.mark.parametrize(("user", "expected"), [(0, True), (1000, False)])
def test_only_root_starts_with_allow_root(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, user: int, expected: bool
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: user)
    command = learn.server_command("python", tmp_path, 8888, start="START.md", open_browser=False)
    assert ("--allow-root" in command) is expected
