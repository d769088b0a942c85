"""Every attack earns what its honest twin earns, and touches nobody else.

The whole corpus is graded as one class, honest students among the attackers, by `autograder grade`;
a sample is graded by `nbgrader autograde`, too.
"""

from __future__ import annotations

import json
import re
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.hostile import corpus, evidence, grading, timed_grade, toy
from tests.hostile.corpus import Attack
from tests.hostile.grading import Class, Graded, Run

ATTACKS = corpus.attacks()
SAMPLE = [attack for attack in ATTACKS if attack.also]

pytestmark = pytest.mark.timeout(900)

CANARY = Path("/tmp/attack-canary")


def steps(by: str) -> list[list[str]]:
    if by == "nbgrader":
        return [["autograde", toy.ASSIGNMENT], ["generate_feedback", toy.ASSIGNMENT]]
    timed = str(Path(timed_grade.__file__))
    grade = [sys.executable, "-P", timed, "grade", toy.ASSIGNMENT, "--workers", "2"]
    return [grade, ["generate_feedback", toy.ASSIGNMENT]]


class Graders:
    """Grades each class once, when it is first asked for."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        self._factory = factory
        self._runs: dict[str, Run] = {}
        self.heard: list[str] = []

    def run(self, name: str, by: str, attacks: list[Attack]) -> Run:
        if name not in self._runs:
            enrolled = self.enroll(name, attacks)
            with evidence.Listeners() as listeners:
                self._runs[name] = grading.grade(enrolled, steps(by))
            self.heard += listeners.heard
        return self._runs[name]

    def enroll(self, name: str, attacks: list[Attack]) -> Class:
        folder = self._factory.mktemp(f"attack-{name}") / "run"
        return grading.enroll(folder, grading.sealed_config(), attacks)

    @property
    def whole(self) -> Run:
        return self.run("whole", "autograder", ATTACKS)

    @property
    def sample(self) -> Run:
        return self.run("sample", "nbgrader", SAMPLE)

    @property
    def peaceful(self) -> Run:
        return self.run("peaceful", "autograder", [])

    @property
    def peaceful_sample(self) -> Run:
        return self.run("peaceful-sample", "nbgrader", [])


@pytest.fixture(scope="module")
def graders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graders]:
    CANARY.write_text(f"An attack that can read this is not in a jail. {toy.GOTCHA}\n")
    CANARY.chmod(0o644)
    yield Graders(tmp_path_factory)
    CANARY.unlink(missing_ok=True)


EITHER: dict[str, Callable[[Graders], Run]] = {
    "autograder": lambda graders: graders.whole,
    "nbgrader": lambda graders: graders.sample,
}
CASES = [
    *(pytest.param("autograder", attack, id=f"{attack.student}") for attack in ATTACKS),
    *(pytest.param("nbgrader", attack, id=f"{attack.student}-nbgrader") for attack in SAMPLE),
]
by_whom = pytest.mark.parametrize("by", EITHER)
each_attack = pytest.mark.parametrize(("by", "attack"), CASES)


def of(graders: Graders, by: str, attack: Attack) -> Graded:
    return EITHER[by](graders).students[attack.student]


@each_attack
def test_it_earns_what_its_twin_earns(graders: Graders, by: str, attack: Attack) -> None:
    graded = of(graders, by, attack)
    if attack.scores is None:
        assert not any(graded.scores.values()), "a submission that cannot be read has no score"
    else:
        assert graded.scores == attack.scores
        assert graded.total == sum(attack.scores.values()), "extra credit, or marks nobody gave"


@each_attack
def test_the_learner_reads_why(graders: Graders, by: str, attack: Attack) -> None:
    graded = of(graders, by, attack)
    assert graded.page, "there is no feedback page"
    words = grading.words_of(graded.page)
    assert [said for said in attack.says if said.lower() not in words.lower()] == []
    assert [said for said in attack.hides if said.lower() in words.lower()] == []


@each_attack
def test_nothing_hidden_comes_out(graders: Graders, by: str, attack: Attack) -> None:
    assert evidence.leaks(of(graders, by, attack)) == {}


@each_attack
def test_the_page_is_harmless(graders: Graders, by: str, attack: Attack) -> None:
    page = of(graders, by, attack).page
    assert evidence.activity_in(page) == []
    assert len(page) < 4_000_000


@each_attack
def test_the_notebook_stays_small(graders: Graders, by: str, attack: Attack) -> None:
    """Outputs are capped by bytes; what a learner wrote is kept."""
    assert evidence.size_of_outputs(of(graders, by, attack)) < evidence.MAX_OUTPUT_BYTES


@pytest.mark.parametrize("attack", [pytest.param(attack, id=attack.student) for attack in ATTACKS])
def test_it_takes_bounded_time(graders: Graders, attack: Attack) -> None:
    assert graders.whole.students[attack.student].seconds <= attack.seconds


@by_whom
def test_nobody_else_is_touched(graders: Graders, by: str) -> None:
    peaceful = graders.peaceful if by == "autograder" else graders.peaceful_sample
    hostile = EITHER[by](graders)
    for student, kinds in grading.HONEST.items():
        among_attackers, alone = hostile.students[student], peaceful.students[student]
        assert among_attackers.scores == toy.expected_scores(kinds) == alone.scores
        assert among_attackers.total == alone.total
        assert _words(among_attackers) == _words(alone)
        assert among_attackers.files.keys() == alone.files.keys()


def _words(graded: Graded) -> tuple[str, str]:
    """Give page and notebook without what differs from run to run: times, and memory addresses."""
    text = str([(cell.source, cell.get("outputs")) for cell in graded.notebook.cells])  # type: ignore[union-attr]
    changing = re.compile(r"\d\d\d\d-\d\d-\d\d[T ][\d:.+]+|0x[0-9a-f]+|\d+\.\d+ ?s")
    return changing.sub("", grading.words_of(graded.page)), changing.sub("", text)


@by_whom
def test_no_process_is_left(graders: Graders, by: str) -> None:
    assert EITHER[by](graders).survivors == ()


@by_whom
def test_no_file_outside_is_changed(graders: Graders, by: str) -> None:
    assert EITHER[by](graders).changed == ()


@by_whom
def test_grading_comes_to_its_end(graders: Graders, by: str) -> None:
    run = EITHER[by](graders)
    assert not run.late
    assert set(run.students) == {
        *grading.HONEST,
        *(attack.student for attack in (ATTACKS if by == "autograder" else SAMPLE)),
    }


@by_whom
def test_memory_is_bounded(graders: Graders, by: str) -> None:
    """Neither a ward nor an examiner that is handed something endless grows without measure."""
    assert EITHER[by](graders).peak_mib < grading.LIMITS["memory_mib"] + 3 * 1024


def test_no_submission_reaches_a_server(graders: Graders) -> None:
    assert graders.whole
    assert graders.sample
    assert graders.heard == []


@by_whom
def test_the_gradebook_has_the_instructors_cells(graders: Graders, by: str) -> None:
    course = EITHER[by](graders).course
    with sqlite3.connect(course / "gradebook.db") as book:
        names = {name for (name,) in book.execute("select name from base_cell")}
        points = dict(
            book.execute(
                "select name, max_score from base_cell join grade_cells using (id)"
            ).fetchall()
        )
        extra = book.execute("select count(*) from grade where extra_credit > 0").fetchone()
    assert not [name for name in names if "foreign" in str(name)]
    assert points == {check: worth for check, (worth, _) in toy.CHECKS.items()} | {"reason": 2}
    assert extra == (0,)


@by_whom
def test_autograded_folders_hold_plain_files(graders: Graders, by: str) -> None:
    """No link that an instructor's tools, or the next grading, would follow."""
    folder = EITHER[by](graders).course / "autograded"
    odd = [
        path
        for path in folder.rglob("*")
        if path.is_symlink() or not (path.is_file() or path.is_dir())
    ]
    assert odd == []


@by_whom
def test_autograded_notebooks_are_strict_json(graders: Graders, by: str) -> None:
    """No number that JavaScript cannot read, whatever a ward sends."""

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    for graded in EITHER[by](graders).students.values():
        for name, data in graded.files.items():
            if name.endswith(".ipynb"):
                json.loads(data, parse_constant=refuse)
