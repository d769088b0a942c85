"""A batch with a runner of the tests' own: keys, writing, skipping, retries, previews."""

from __future__ import annotations

import hashlib
import io
import json
import os
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine
from tests.batch import classroom, fake_runner
from tests.batch.classroom import PARTLY, PS, RIGHT, WRONG, copy_of, dump, hand_in

from autograder.batch import run
from autograder.batch.course import read_course
from autograder.batch.errors import BatchError
from autograder.batch.progress import Progress
from autograder.batch.summary import BROKEN, GRADED, UNCHANGED, Summary


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return classroom.make_course(tmp_path_factory.mktemp("released") / "course")


@pytest.fixture
def course(released: Path, tmp_path: Path) -> Path:
    return copy_of(released, tmp_path / "course")


def grade(course: Path, *, force: bool = False, **order: Any) -> Summary:
    settings = order.pop("settings", None)
    seconds = order.pop("job_seconds", 60)
    return run.grade(
        read_course(course, force=force),
        run.Order(PS, **{"workers": 2, **order}),
        settings=settings,
        runner=fake_runner.NAME,
        packages=(),
        job_seconds=seconds,
        progress=lambda total: Progress(total, io.StringIO()),
    )


def states(summary: Summary) -> dict[str, str]:
    return {outcome.student: outcome.state for outcome in summary.outcomes}


def scores(course: Path) -> dict[str, dict[str, float | None]]:
    found: dict[str, dict[str, float | None]] = {}
    for kind, student, _, _, cell, *rest in dump(course):
        if kind == "grade":
            found.setdefault(student, {})[cell] = rest[1]
    return found


def test_a_mixed_class(course: Path) -> None:
    classroom.mixed_class(course)
    summary = grade(course)
    assert states(summary) == {
        **dict.fromkeys(["ada", "bob", "cay", "dan", "eve", "fay", "gus", "hal"], GRADED),
        "ivy": BROKEN,
    }
    by_hand = {"task": None}
    assert scores(course) == {
        "ada": {"double-visible": 1, "double-hidden": 3, "area-check": 2, "why": None, **by_hand},
        "bob": {"double-visible": 0, "double-hidden": 0, "area-check": 0, "why": 0, **by_hand},
        "cay": {"double-visible": 1, "double-hidden": 1, "area-check": 2, "why": 0, **by_hand},
        "dan": {"double-visible": 0, "double-hidden": 0, "area-check": 2, "why": 0, **by_hand},
        "eve": {"double-visible": 0, "double-hidden": 0, "area-check": 0, "why": 0, **by_hand},
        "fay": {"double-visible": 1, "double-hidden": 3, "area-check": 0, "why": None, **by_hand},
        "gus": {"double-visible": 1, "double-hidden": 3, "area-check": 2, "why": None, **by_hand},
        "hal": {"double-visible": 0, "double-hidden": 0, "area-check": 0, "why": 0, **by_hand},
        "ivy": {
            "double-visible": None,
            "double-hidden": None,
            "area-check": 2,
            "why": None,
            **by_hand,
        },
    }
    comments = {
        (student, cell): auto
        for kind, student, _, _, cell, *rest in dump(course)
        if kind == "comment"
        for auto in [rest[1]]
    }
    assert comments["hal", "double"] == "No response."
    assert comments["ada", "double"] is None
    assert "not valid JSON" in comments["ivy", "double"]
    (reason,) = next(each.reasons for each in summary.outcomes if each.student == "ivy")
    assert "not valid JSON" in reason


def test_files_lie_where_nbgrader_puts_them(course: Path) -> None:
    hand_in(course, "gus", RIGHT, files={"data/own.txt": "mine", "table.csv": "not theirs"})
    grade(course)
    folder = course / "autograded" / "gus" / PS
    found = classroom.tree(folder)
    assert set(found) == {"data/own.txt", "table.csv", "numbers.ipynb", "shapes.ipynb"}
    assert {mode for mode, _ in found.values()} == {0o444}
    assert found["table.csv"][1] == b"a,b\n1,2\n"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert [path.name for path in folder.parent.iterdir()] == [PS]


def test_files_that_learners_may_change_stay_theirs(course: Path) -> None:
    config = 'c.Autograde.exclude_overwriting = {"ps1": ["table.csv"]}\n'
    (course / "nbgrader_config.py").write_text(classroom.CONFIG + config)
    hand_in(course, "gus", RIGHT, files={"table.csv": "theirs"})
    hand_in(course, "hal", RIGHT)
    grade(course)
    found = classroom.tree(course / "autograded")
    assert found[f"gus/{PS}/table.csv"][1] == b"theirs"
    assert f"hal/{PS}/table.csv" not in found


def test_nothing_is_done_twice(course: Path) -> None:
    classroom.mixed_class(course)
    grade(course)
    before = dump(course), classroom.tree(course)
    again = grade(course)
    assert set(states(again).values()) == {UNCHANGED, BROKEN}
    assert (dump(course), classroom.tree(course)) == before
    forced = grade(course, force=True)
    assert states(forced)["ada"] == GRADED
    assert (dump(course), classroom.tree(course / "autograded")) == (
        before[0],
        classroom.tree(course / "autograded"),
    )


def test_what_changed_is_graded_again(course: Path) -> None:
    hand_in(course, "ada", RIGHT)
    hand_in(course, "bob", WRONG)
    grade(course)
    hand_in(course, "bob", PARTLY)
    summary = grade(course)
    assert states(summary) == {"ada": UNCHANGED, "bob": GRADED}
    (changed,) = summary.changed
    moved = {move.check: (move.before, move.after) for move in changed.regraded}
    assert moved == {
        "double-visible": (0, 1),
        "double-hidden": (0, 1),
        "area-check": (0, 2),
    }


@pytest.mark.parametrize("settings", [{"seconds": 0}, {"seconds": 0.0, "more": 1}])
def test_other_settings_are_another_key(course: Path, settings: dict[str, Any]) -> None:
    hand_in(course, "ada", RIGHT)
    grade(course)
    assert states(grade(course)) == {"ada": UNCHANGED}
    assert states(grade(course, settings=settings)) == {"ada": GRADED}


def test_a_folder_that_is_not_whole_is_made_again(course: Path) -> None:
    hand_in(course, "ada", RIGHT)
    grade(course)
    before = classroom.tree(course / "autograded")
    path = course / "autograded" / "ada" / PS / "shapes.ipynb"
    path.unlink()
    assert states(grade(course)) == {"ada": GRADED}
    assert classroom.tree(course / "autograded") == before


def test_another_grading_in_between_is_seen(course: Path) -> None:
    hand_in(course, "ada", RIGHT)
    grade(course)
    path = course / "autograded" / "ada" / PS / "numbers.ipynb"
    notebook = json.loads(path.read_text())
    del notebook["metadata"]["autograder"]["key"]
    path.chmod(0o644)
    path.write_text(json.dumps(notebook))
    assert states(grade(course)) == {"ada": GRADED}


def test_manual_grades_stay(course: Path) -> None:
    hand_in(course, "ada", RIGHT)
    grade(course)
    classroom.grade_by_hand(course, "ada")
    hand_in(course, "ada", WRONG | {"why": RIGHT["why"]})
    summary = grade(course)
    rows = {row[4]: row[6:] for row in dump(course) if row[0] == "grade"}
    assert rows["why"] == (None, 1.5, 0.5, 1)
    assert rows["double-hidden"] == (0, 2.5, None, 1)
    assert rows["double-visible"] == (0, None, None, 0)
    comments = {row[4]: row[6:] for row in dump(course) if row[0] == "comment"}
    assert comments["why"] == (None, "Well said.")
    (changed,) = summary.changed
    overruled = {move.check: move.overruled for move in changed.regraded}
    assert overruled == {"double-visible": False, "double-hidden": True, "area-check": False}


def test_one_transaction_per_submission(course: Path) -> None:
    classroom.mixed_class(course)
    grade(course)
    commits: list[object] = []

    def count(connection: object) -> None:
        commits.append(connection)

    event.listen(Engine, "commit", count)
    try:
        grade(course, force=True)
    finally:
        event.remove(Engine, "commit", count)
    # Two more when the gradebook is opened, by nbgrader itself: its tables, and the course.
    assert len(commits) <= 9 + 2


def test_a_preview_writes_nothing(course: Path) -> None:
    classroom.mixed_class(course)
    grade(course)
    hand_in(course, "bob", PARTLY)
    hand_in(course, "new", RIGHT)
    before = classroom.tree(course)
    times = {path: path.stat().st_mtime_ns for path in course.rglob("*")}
    summary = grade(course, preview=True)
    assert classroom.tree(course) == before
    assert {path: path.stat().st_mtime_ns for path in course.rglob("*")} == times
    assert states(summary)["bob"] == GRADED
    assert states(summary)["ada"] == UNCHANGED
    said = "\n".join(summary.lines())
    assert "Nothing was written" in said
    (bob,) = summary.changed
    assert sum(move.difference for move in bob.regraded) == 4
    really = grade(course)
    (again,) = really.changed
    assert again.moves == bob.moves


def test_a_preview_before_anything_was_graded(course: Path) -> None:
    hand_in(course, "ada", RIGHT)
    before = hashlib.sha256((course / "gradebook.db").read_bytes()).hexdigest()
    summary = grade(course, preview=True)
    assert states(summary) == {"ada": GRADED}
    assert not (course / "autograded").exists()
    assert hashlib.sha256((course / "gradebook.db").read_bytes()).hexdigest() == before


def late(course: Path, config: str) -> None:
    (course / "nbgrader_config.py").write_text(classroom.CONFIG + config)
    with sqlite3.connect(course / "gradebook.db") as book:
        book.execute("UPDATE assignment SET duedate = '2026-01-01 00:00:00'")


def test_late_penalties_by_the_courses_plugin(course: Path) -> None:
    (course / "penalties.py").write_text(
        "from nbgrader.plugins import BasePlugin\n"
        "class Half(BasePlugin):\n"
        "    def late_submission_penalty(self, student_id, score, total_seconds_late):\n"
        "        return score / 2 if total_seconds_late > 3600 else -1\n"
    )
    late(course, 'c.AssignLatePenalties.plugin_class = "penalties.Half"\n')
    hand_in(course, "ada", RIGHT, timestamp="2026-01-02 00:00:00 UTC")
    hand_in(course, "bob", RIGHT, timestamp="2026-01-01 00:30:00 UTC")
    hand_in(course, "cay", RIGHT, timestamp="2025-12-31 00:00:00 UTC")
    preview = grade(course, preview=True)
    summary = grade(course)
    found = {row[1:4:2]: row[4] for row in dump(course) if row[0] == "notebook"}
    assert found == {
        ("ada", "numbers"): 2,
        ("ada", "shapes"): 1,
        ("bob", "numbers"): 0,
        ("bob", "shapes"): 0,
        ("cay", "numbers"): None,
        ("cay", "shapes"): None,
    }
    assert {each.student: each.moves for each in preview.outcomes} == {
        each.student: each.moves for each in summary.outcomes
    }


def test_an_extension_counts_and_is_a_reason_to_grade_again(course: Path) -> None:
    late(course, 'c.LateSubmissionPlugin.penalty_method = "zero"\n')
    hand_in(course, "ada", RIGHT, timestamp="2026-01-02 00:00:00 UTC")
    grade(course)
    penalties = [row[4] for row in dump(course) if row[0] == "notebook"]
    assert penalties == [4, 2]
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "toy") as book:
        book.grant_extension(PS, "ada", days=2)
    assert states(grade(course)) == {"ada": GRADED}
    assert [row[4] for row in dump(course) if row[0] == "notebook"] == [None, None]


def test_two_workers_work_at_the_same_time(course: Path, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    for name in ("ada", "bob"):
        hand_in(course, name, RIGHT | {"double": f"# MEET {place}\n{RIGHT['double']}"})
    summary = grade(course)
    assert set(states(summary).values()) == {GRADED}
    assert [scores(course)[name]["double-hidden"] for name in ("ada", "bob")] == [3, 3]
    assert len(list(place.iterdir())) == 2


def test_a_worker_that_dies_is_replaced_and_its_work_done_elsewhere(
    course: Path, tmp_path: Path
) -> None:
    for name in ("ada", "bob", "cay", "dan"):
        hand_in(course, name, RIGHT)
    hand_in(course, "eve", RIGHT | {"double": f"# DIE-ONCE {tmp_path / 'once'}\n{RIGHT['double']}"})
    summary = grade(course)
    assert set(states(summary).values()) == {GRADED}
    assert scores(course)["eve"]["double-hidden"] == 3


def test_a_submission_that_kills_two_workers_is_broken_and_tried_again_next_time(
    course: Path, tmp_path: Path
) -> None:
    for name in ("ada", "bob"):
        hand_in(course, name, RIGHT)
    hand_in(course, "eve", RIGHT | {"area": "# DIE"})
    summary = grade(course)
    assert states(summary) == {"ada": GRADED, "bob": GRADED, "eve": BROKEN}
    comment = next(r[6] for r in dump(course) if r[0] == "comment" and r[1] == "eve" and r[6])
    assert "died twice" in comment
    assert scores(course)["eve"]["double-hidden"] is None
    hand_in(course, "eve", RIGHT)
    assert states(grade(course)) == {"ada": UNCHANGED, "bob": UNCHANGED, "eve": GRADED}
    comments = [row[6] for row in dump(course) if row[0] == "comment" and row[1] == "eve"]
    assert comments == [None] * len(comments)


def test_an_error_of_ours_changes_nothing(course: Path) -> None:
    hand_in(course, "ada", RIGHT)
    grade(course)
    before = dump(course), classroom.tree(course / "autograded")
    hand_in(course, "ada", WRONG)
    summary = grade(course, settings={"fail": True})
    assert states(summary) == {"ada": BROKEN}
    assert "not the learner's (ZeroDivisionError" in summary.outcomes[0].reasons[0]
    assert (dump(course), classroom.tree(course / "autograded")) == before
    assert states(grade(course)) == {"ada": GRADED}


def test_a_worker_that_gives_no_answer_is_killed(course: Path) -> None:
    hand_in(course, "ada", RIGHT)
    hand_in(course, "eve", RIGHT | {"area": "# HANG"})
    summary = grade(course, job_seconds=6)
    assert states(summary) == {"ada": GRADED, "eve": BROKEN}
    assert "without an answer" in " ".join(summary.outcomes[-1].reasons)


def test_no_process_is_left(course: Path) -> None:
    hand_in(course, "ada", RIGHT)
    grade(course)
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    names = [Path(f"/proc/{pid}/cmdline").read_bytes().decode() for pid in children]
    assert not [name for name in names if "autograder-worker" in name]


def test_links_are_not_followed(course: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    folder = hand_in(course, "ada", RIGHT)
    (folder / "link.txt").symlink_to(secret)
    (folder / "folder").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe")
    (folder / "shapes.ipynb").unlink()
    (folder / "shapes.ipynb").symlink_to(course / "source" / PS / "shapes.ipynb")
    summary = grade(course)
    assert states(summary) == {"ada": BROKEN}
    assert "link" in " ".join(summary.outcomes[0].reasons)
    found = classroom.tree(course / "autograded" / "ada" / PS)
    assert set(found) == {"numbers.ipynb", "shapes.ipynb", "table.csv"}
    assert not any(b"secret" in content for _, content in found.values())


def test_a_submission_without_notebooks_is_broken(course: Path) -> None:
    folder = course / "submitted" / "ada" / PS
    folder.mkdir(parents=True)
    (folder / "essay.txt").write_text("I forgot.")
    summary = grade(course)
    assert states(summary) == {"ada": BROKEN}
    assert scores(course)["ada"]["double-hidden"] is None


def test_leftovers_of_a_killed_run_are_swept(course: Path) -> None:
    hand_in(course, "ada", RIGHT)
    grade(course)
    left = course / "autograded" / "ada" / f".autograder-{PS}-left"
    left.mkdir()
    (left / "numbers.ipynb").write_text("{}")
    grade(course)
    assert [path.name for path in left.parent.iterdir()] == [PS]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"students": ("nobody",)}, "no submission of nobody"),
        ({}, "no submission"),
    ],
)
def test_nothing_to_grade(course: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(BatchError, match=message):
        grade(course, **change)


def test_an_unknown_assignment_names_the_known_ones(course: Path) -> None:
    (course / "submitted" / "ada" / "ps9").mkdir(parents=True)
    with pytest.raises(BatchError, match="it knows: ps1"):
        run.grade(read_course(course), run.Order("ps9"), settings=None, runner=fake_runner.NAME)


def test_two_runs_at_once_are_one_too_many(course: Path) -> None:
    import fcntl

    hand_in(course, "ada", RIGHT)
    held = os.open(course, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        with pytest.raises(BatchError, match="at work"):
            grade(course)
    finally:
        os.close(held)
    assert states(grade(course)) == {"ada": GRADED}


def test_students_by_pattern(course: Path) -> None:
    for name in ("ada", "alan", "bob"):
        hand_in(course, name, RIGHT)
    assert set(states(grade(course, students=("a*",)))) == {"ada", "alan"}
    assert set(states(grade(course, students=("bob", "ada")))) == {"ada", "bob"}
