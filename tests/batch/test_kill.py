"""Kill the whole command at any moment: nothing is lost, nothing doubled, nothing left running."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from tests.batch import classroom
from tests.batch.classroom import PARTLY, PS, RIGHT, WRONG, copy_of, dump, hand_in

BIN = Path(sys.executable).parent
KILLS = 25
STUDENTS = [f"student-{number:02}" for number in range(8)]
CONFIG = classroom.CONFIG + "from autograder import seal\nseal(c)\n"
KINDS = [RIGHT, WRONG, PARTLY, {"double": "1 / 0"}, {"area": "import os\nos._exit(1)"}]


def start(course: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [BIN / "autograder", "grade", PS, "--workers", "2"],
        cwd=course,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def descendants(pid: int) -> Iterator[int]:
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found = [int(child) for child in children.read_text().split()]
        except OSError:
            continue
        for child in found:
            yield child
            yield from descendants(child)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def answers(chance: random.Random) -> dict[str, str]:
    kind = dict(chance.choice(KINDS))
    kind["double"] = kind.get("double", RIGHT["double"]) + f"\n# {chance.random()}"
    return kind


def landed(course: Path) -> set[int]:
    """Tell the autograded folders that are in their place, by number: each new one has its own."""
    return {path.stat().st_ino for path in (course / "autograded").glob(f"*/{PS}")}


def wait_until_some_are_new(
    course: Path, before: set[int], running: subprocess.Popen[bytes], count: int
) -> None:
    until = time.monotonic() + 120
    while running.poll() is None and time.monotonic() < until:
        try:
            if len(landed(course) - before) >= count:
                return
        except FileNotFoundError:
            pass  # swapped at this moment
        time.sleep(0.005)


def check_whole(course: Path) -> None:
    """Hold that what is there is whole: rows complete and single, notebooks readable."""
    with sqlite3.connect(course / "gradebook.db") as book:
        assert book.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    rows = dump(course)
    for student in {row[1] for row in rows if row[0] == "submission"}:
        cells = [row[3:5] for row in rows if row[0] == "grade" and row[1] == student]
        assert len(cells) == len(set(cells)) == 5
    for folder in (course / "autograded").glob(f"*/{PS}"):
        names = {path.name for path in folder.iterdir()}
        assert names == {"numbers.ipynb", "shapes.ipynb", "table.csv"}
        for name in ("numbers", "shapes"):
            nbformat.read(folder / f"{name}.ipynb", 4)
    manual = [row[7:9] for row in rows if row[0] == "grade" and row[7] is not None]
    assert manual == [(2.5, None), (1.5, 0.5)]
    assert [row[7] for row in rows if row[0] == "comment" and row[7]] == ["Well said."]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_killed_at_random(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    course = classroom.make_course(tmp_path / "course", CONFIG)
    hand_in(course, STUDENTS[0], RIGHT)
    assert start(course).wait(500) == 0  # it also proves the seal
    classroom.grade_by_hand(course, STUDENTS[0])
    reference = copy_of(course, tmp_path / "reference")
    killed = tries = 0
    while killed < KILLS:
        # A kill after the end of the work proves nothing, and is not counted.
        tries += 1
        assert tries <= 3 * KILLS, f"seed {seed}: only {killed} of {tries} were killed at work"
        for student in STUDENTS:
            hand_in(course, student, answers(chance))
        before = landed(course)
        running = start(course)
        wait_until_some_are_new(course, before, running, chance.randrange(len(STUDENTS) - 2))
        time.sleep(chance.uniform(0, 0.1))
        family = [*descendants(running.pid)]
        killed += running.poll() is None
        running.send_signal(signal.SIGKILL)
        running.wait()
        until = time.monotonic() + 20
        while any(is_running(pid) for pid in family) and time.monotonic() < until:
            time.sleep(0.05)
        assert not [pid for pid in family if is_running(pid)], f"seed {seed}, try {tries}"
        check_whole(course)
    assert start(course).wait(500) == 0
    check_whole(course)
    for student in STUDENTS:
        folder = course / "submitted" / student / PS
        for path in folder.iterdir():
            target = reference / "submitted" / student / PS / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    assert start(reference).wait(500) == 0
    assert dump(course) == dump(reference), f"seed {seed}"
    autograded = classroom.tree(course / "autograded")
    assert autograded == classroom.tree(reference / "autograded"), f"seed {seed}"
