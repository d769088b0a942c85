"""The corpus can fail: stock nbgrader, which runs checks in the learner's process, loses to it."""

from __future__ import annotations

import pytest
from tests.hostile import corpus, evidence, grading
from tests.hostile.corpus import Attack
from tests.hostile.grading import Graded, Run

ATTACKS = [attack for attack in corpus.attacks() if attack.stock]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def of_kind(*kinds: str) -> list[Attack]:
    return [attack for attack in ATTACKS if attack.stock in kinds]


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Run:
    with evidence.Listeners():
        return grading.grade(
            grading.enroll(
                tmp_path_factory.mktemp("attack-stock") / "run",
                grading.STOCK,
                of_kind("more", "leaks", "fails"),
            )
        )


def points(graded: Graded) -> float:
    return sum(score or 0 for score in graded.scores.values())


def test_there_are_enough() -> None:
    assert len(of_kind("more")) >= 12
    assert len(of_kind("leaks")) >= 6


@pytest.mark.parametrize("attack", of_kind("more"), ids=lambda attack: attack.student)
def test_stock_gives_more_than_the_twin_gets(stock: Run, attack: Attack) -> None:
    assert attack.scores is not None
    assert points(stock.students[attack.student]) > sum(attack.scores.values())


@pytest.mark.parametrize("attack", of_kind("leaks"), ids=lambda attack: attack.student)
def test_stock_lets_secrets_out(stock: Run, attack: Attack) -> None:
    graded = stock.students[attack.student]
    # Its page shows hidden checks in any case, so the learner's own cells are what counts.
    found = evidence.leaks(graded)
    assert [place for place in found if place != "feedback page"] or _in_checks(graded)


def _in_checks(graded: Graded) -> list[str]:
    """Find what reached the outputs of a check, which stock nbgrader shows to learners."""
    assert graded.notebook is not None
    outputs = [cell.get("outputs", "") for cell in graded.notebook.cells]
    return evidence.tokens_in(str(outputs))


@pytest.mark.parametrize("attack", of_kind("fails"), ids=lambda attack: attack.student)
def test_stock_gives_no_score(stock: Run, attack: Attack) -> None:
    scores = stock.students[attack.student].scores
    assert all(score is None for score in scores.values())


@pytest.mark.parametrize("attack", of_kind("stops"), ids=lambda attack: attack.student)
def test_stock_stops_for_the_whole_class(
    tmp_path_factory: pytest.TempPathFactory, attack: Attack
) -> None:
    enrolled = grading.enroll(
        tmp_path_factory.mktemp("attack-stop") / "run", grading.STOCK, [attack]
    )
    run = grading.grade(enrolled, [["autograde", "birds"]])
    assert run.students["zz-right"].scores == {}
