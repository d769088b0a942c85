"""Every assignment of the course, from source to release and from submission to feedback.

The tests find the assignments by themselves; a new one joins without a new test.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.roundtrip.demo import SUBMISSIONS, demonstrate
from autograder.roundtrip.nbgrading import Graded
from autograder.roundtrip.practice import grade_own_copy
from autograder.roundtrip.project import exercises, read_notebook, source_notebooks
from autograder.roundtrip.release import Files, build, differences
from autograder.roundtrip.table import by_exercise

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENTS = sorted({path.parent.name for path in (ROOT / "source").glob("*/*.ipynb")})

_REGION = re.compile(r"### BEGIN (?:SOLUTION|HIDDEN TESTS)\n(.*?)### END", re.DOTALL)
_SCHEME = re.compile(r"BEGIN MARK SCHEME(.*?)=== END MARK SCHEME", re.DOTALL)


@pytest.fixture(params=ASSIGNMENTS)
def assignment(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@cache
def built(assignment: str) -> Files:
    return build(ROOT, assignment)


def sources(assignment: str) -> list[NotebookNode]:
    return [read_notebook(path) for path in source_notebooks(ROOT, assignment)]


# Release


def test_the_release_is_what_its_source_makes(assignment: str) -> None:
    assert differences(ROOT, assignment, built(assignment)) == []


def test_a_rebuild_is_the_same_byte_for_byte(assignment: str) -> None:
    assert build(ROOT, assignment) == built(assignment)


def test_the_release_gives_nothing_away(assignment: str) -> None:
    text = "\n".join(
        cell.source
        for name, content in built(assignment).items()
        if name.endswith(".ipynb")
        for cell in nbformat.reads(content.decode(), 4).cells
    )
    for word in ("BEGIN SOLUTION", "END SOLUTION", "HIDDEN TESTS", "MARK SCHEME", "autograder"):
        assert word not in text
    secrets = 0
    for notebook in sources(assignment):
        shown = "\n".join(_REGION.sub("", _SCHEME.sub("", cell.source)) for cell in notebook.cells)
        for cell in notebook.cells:
            for region in _REGION.findall(cell.source) + _SCHEME.findall(cell.source):
                assert region.strip() not in text
                for line in map(str.strip, region.splitlines()):
                    # A line that the instructor wrote for all to read is no secret.
                    if len(line) > 20 and line not in shown:
                        assert line not in text
                        secrets += 1
    assert secrets > 20


def test_the_release_is_clean(assignment: str) -> None:
    for name, content in built(assignment).items():
        if not name.endswith(".ipynb"):
            continue
        data = json.loads(content)
        assert set(data["metadata"]) == {"kernelspec", "language_info"}
        ids = [cell["id"] for cell in data["cells"]]
        assert len(set(ids)) == len(ids)
        for cell in data["cells"]:
            marks = cell["metadata"].get("nbgrader")
            assert marks is None or marks["grade_id"] == cell["id"]
            if cell["cell_type"] == "code":
                assert cell["outputs"] == []
                assert cell["execution_count"] is None


def test_the_points_add_up_to_the_stated_total(assignment: str) -> None:
    found = exercises(ROOT, assignment)
    optional = sum(item.points for item in found if "optional" in item.title)
    assert sum(item.points for item in found) - optional == 100
    assert sum(item.by_hand for item in found) == 1


# The round trip: five submissions, graded by the project's own settings


@dataclass(frozen=True)
class Demo:
    assignment: str
    said: list[str]
    folder: Path
    by_name: dict[str, Graded]

    def page(self, student: str) -> str:
        pages = (self.folder / "feedback" / student / self.assignment).glob("*.html")
        return "\n".join(page.read_text() for page in sorted(pages))


@pytest.fixture(scope="module", params=ASSIGNMENTS)
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    said: list[str] = []
    done = demonstrate(ROOT, request.param, said.append, tmp_path_factory.mktemp(request.param))
    graded = {item.student: item for item in done.graded}
    return Demo(request.param, said, done.folder, graded)


@pytest.mark.slow
def test_every_submission_is_graded(demo: Demo) -> None:
    names = [submission.student for submission in SUBMISSIONS]
    assert list(demo.by_name) == names
    for graded in demo.by_name.values():
        assert [score.exercise for score in graded.scores] == exercises(ROOT, demo.assignment)
        assert [score.points is None for score in graded.scores] == [
            score.exercise.by_hand for score in graded.scores
        ]
    steps = [line.split()[0] for line in demo.said]
    assert [step for at, step in enumerate(steps) if step not in steps[:at]] == [
        "generate",
        "release",
        "hand",
        "collect",
        "autograde",
        "feedback",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("student", ["all-right", "late"])
def test_the_instructors_version_gets_everything(demo: Demo, student: str) -> None:
    for score in demo.by_name[student].scores:
        if not score.exercise.by_hand:
            assert score.points == score.exercise.points, score


@pytest.mark.slow
def test_the_untouched_release_gets_nothing(demo: Demo) -> None:
    assert demo.by_name["untouched"].total == 0
    for score in demo.by_name["untouched"].scores:
        assert score.exercise.by_hand or "Not started yet" in score.sentence


@pytest.mark.slow
def test_two_misconceptions_are_named(demo: Demo) -> None:
    graded, best = demo.by_name["two-misconceptions"], demo.by_name["all-right"]
    (short,) = [score for score in graded.scores if (score.points or 0) < score.exercise.points
                and not score.exercise.by_hand]  # fmt: skip
    assert 0 < graded.total < best.total
    said = re.findall(r">(Your function [^<]*, and it [^<]*)<", demo.page(graded.student))
    assert len(set(said)) == 1, said
    assert short.sentence


@pytest.mark.slow
def test_a_crash_costs_only_what_it_breaks(demo: Demo) -> None:
    graded, best = demo.by_name["crashes"], demo.by_name["all-right"]
    broken = [
        score
        for score, full in zip(graded.scores, best.scores, strict=True)
        if score.points != full.points
    ]
    assert len(broken) == 2
    sentences = " ".join(score.sentence for score in broken)
    assert "stops with a KeyError" in sentences
    assert "did not run to its end" in sentences


@pytest.mark.slow
def test_only_the_late_one_is_late(demo: Demo) -> None:
    late = {student for student, graded in demo.by_name.items() if graded.seconds_late > 0}
    assert late == {"late"}
    assert demo.by_name["late"].seconds_late == 26 * 3600
    assert demo.by_name["late"].total == demo.by_name["all-right"].total


@pytest.mark.slow
def test_feedback_keeps_hidden_checks_hidden(demo: Demo) -> None:
    regions = [
        line.strip()
        for notebook in sources(demo.assignment)
        for cell in notebook.cells
        if "HIDDEN TESTS" in cell.source
        for region in _REGION.findall(cell.source)
        for line in region.splitlines()
        if line.strip()
    ]
    assert regions
    for student in demo.by_name:
        page = demo.page(student)
        assert 'id="summary"' in page
        text = re.sub(r"<[^>]+>", "", page)
        for secret in (*regions, "HIDDEN TESTS", "MARK SCHEME", ".examine("):
            assert secret not in text, (student, secret)
    # The instructor's notebook has them.
    autograded = next((demo.folder / "autograded" / "late" / demo.assignment).glob("*.ipynb"))
    assert regions[0] in autograded.read_text()


@pytest.mark.slow
def test_feedback_is_released_to_the_exchange(demo: Demo) -> None:
    pages = list((demo.folder / "exchange" / "crs" / "feedback").glob("*.html"))
    notebooks = len(source_notebooks(ROOT, demo.assignment))
    assert len(pages) == notebooks * len(SUBMISSIONS)


@pytest.mark.slow
def test_the_table_shows_it(demo: Demo) -> None:
    lines = by_exercise(list(demo.by_name.values()))
    assert lines[0].split() == ["Exercise", "Points", *demo.by_name]
    assert len(lines) == 2 + len(exercises(ROOT, demo.assignment)) + 2
    assert lines[-1].startswith("Late")
    assert lines[-1].endswith("1.1 days")
    assert max(map(len, lines)) <= 120


# An independent right solution, as its author would practice


@pytest.mark.slow
def test_an_independent_solution_gets_everything_through_nbgrader(
    assignment: str, tmp_path: Path
) -> None:
    solution = sorted((ROOT / "tests" / "solutions" / assignment).glob("*.py"))[0]
    for name, content in built(assignment).items():
        (tmp_path / Path(name).name).write_bytes(content)
    for path in tmp_path.glob("*.ipynb"):
        notebook = read_notebook(path)
        cells = [
            cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("solution")
        ]
        cells[0].source = solution.read_text()
        for cell in cells[1:]:
            cell.source = "# The first solution cell holds all functions."
        nbformat.write(notebook, path)
    done = grade_own_copy(ROOT, assignment, tmp_path, lambda line: None)
    for score in done.graded.scores:
        if not score.exercise.by_hand:
            assert score.points == score.exercise.points, score
    assert all(page.is_file() for page in done.pages)
