"""Honest answers earn under the seal what they earn in stock nbgrader.

Where they do not, `differences.toml` says so, and why. `python -m tests.differential.show` prints
the differences with what the checks said.
"""

from __future__ import annotations

from collections import Counter

import pytest
from tests.differential.corpus import read_themes, theme_names
from tests.differential.differences import directions, read_groups, unexpected
from tests.differential.grading import Outcome, grade

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Outcome]]:
    """Grade everything twice, and sort it by theme."""
    found: dict[str, list[Outcome]] = {name: [] for name in theme_names()}
    for outcome in grade(tmp_path_factory.mktemp("differential") / "run", read_themes()):
        found[outcome.theme].append(outcome)
    return found


@pytest.mark.parametrize("theme", theme_names())
def test_scores_differ_only_where_it_is_listed(
    outcomes: dict[str, list[Outcome]], theme: str
) -> None:
    faults = unexpected(outcomes[theme], directions(read_groups()))
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("theme", theme_names())
def test_stock_nbgrader_finds_each_answer_as_it_is_called(
    outcomes: dict[str, list[Outcome]], theme: str
) -> None:
    """Else two graders that agree might agree on nothing: 0 and 0."""
    lost: dict[tuple[str, str], float] = {}
    for outcome in outcomes[theme]:
        answer = outcome.grade_id.rpartition("-")[0], outcome.answer
        assert outcome.stock is not None, outcome
        lost[answer] = lost.get(answer, 0) + outcome.points - outcome.stock
    faults = [answer for answer, points in lost.items() if (points > 0) != ("wrong" in answer[1])]
    assert not faults, faults


def test_every_case_has_a_name_of_its_own() -> None:
    names = Counter((theme.name, case.name) for theme in read_themes() for case in theme.cases)
    assert not [name for name, count in names.items() if count > 1]


def test_every_listed_difference_is_one_of_ours_and_listed_once_with_a_reason() -> None:
    groups = read_groups()
    keys = Counter(key for group in groups for key in (*group.less, *group.more))
    ours = {
        f"{theme.name}/{check.grade_id} {answer}"
        for theme in read_themes()
        for case in theme.cases
        for check in case.checks
        for answer in case.answers
    }
    assert not [key for key, count in keys.items() if count > 1]
    assert not keys.keys() - ours
    for group in groups:
        assert group.less or group.more, group.name
        assert len(group.reason) > 20, group.name
        assert group.reason.endswith("."), group.name
