"""Answers are kept beside the lessons, the first one counts, and trouble with the file is borne."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from crs.figures.calibration import Level
from crs.quiz import calibration
from crs.quiz.answers import CONFIDENCE, GivenAnswer, answers_file, forget, recall, remember
from crs.quiz.calibration import CalibrationView, levels_of
from crs.quiz.widget import Quiz


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    forget()
    yield
    forget()


def given(question: str, right: bool, confidence: str = "certain") -> GivenAnswer:
    return GivenAnswer("05-grading", question, 0, right, confidence)


def new_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what only the running kernel knows."""
    monkeypatch.setattr("crs.quiz.answers._this_session", {})


def test_an_answer_outlasts_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    assert remember(given("a", True))
    assert answers_file().name == ".crs-answers.json"
    new_kernel(monkeypatch)
    (kept,) = recall()
    assert (kept.question, kept.right, kept.confidence) == ("a", True, "certain")
    assert kept.at.endswith("+00:00")


def test_the_first_answer_counts() -> None:
    remember(given("a", False))
    remember(given("a", True))
    assert [answer.right for answer in recall()] == [False]


def test_answers_of_two_lessons_lie_in_one_file() -> None:
    for name in ("05-grading", "06-treatment"):
        quiz = Quiz(name)
        for card in quiz.cards:
            card.answer(card.question.right, "certain")
    assert len(recall()) == 10
    assert calibration().levels == (Level("certain", 10, 10),)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"answers": 3}',
        '{"answers": [1, {"quiz": 2}]}',
        "\x00\x01",
        json.dumps({"answers": [asdict(GivenAnswer("q", "a", 0, True, "very"))]}),
        json.dumps({"answers": [asdict(GivenAnswer("q", "a", 0, True, "certain")) | {"right": 1}]}),
    ],
)
def test_a_broken_file_is_borne_and_mended(content: str) -> None:
    answers_file().write_text(content, encoding="utf-8")
    assert recall() == ()
    assert remember(given("a", True))
    assert len(json.loads(answers_file().read_text(encoding="utf-8"))["answers"]) == 1


def test_a_folder_that_cannot_be_written_is_borne(tmp_path: Path) -> None:
    nowhere = tmp_path / "is-not-there" / "answers.json"
    quiz = Quiz("05-grading", nowhere)
    quiz.cards[0].answer(0, "guessing")
    assert not nowhere.exists()
    assert "could not be saved" in quiz.sentence
    assert len(recall(nowhere)) == 1, "it lasts as long as the kernel"


def test_nothing_but_the_file_is_left_behind(tmp_path: Path) -> None:
    remember(given("a", True))
    remember(given("b", True))
    assert [path.name for path in tmp_path.iterdir()] == [".crs-answers.json"]


def test_levels_are_counted_from_guessing_to_certain() -> None:
    answers = [given(str(n), n < 2, "certain") for n in range(3)] + [given("x", False, "guessing")]
    assert levels_of(answers) == (Level("guessing", 1, 0), Level("certain", 3, 2))


def test_the_interval_is_wilson_s() -> None:
    # 7 of 11; checked by hand against the published formula.
    low, high = Level("certain", 11, 7).interval
    assert (low, high) == pytest.approx((35.38, 84.83), abs=0.01)
    assert Level("certain", 5, 5).interval[1] == pytest.approx(100)
    assert Level("certain", 5, 0).interval[0] == pytest.approx(0)


@pytest.mark.parametrize(
    ("level", "words"),
    [
        (Level("certain", 4, 0), "too few"),
        (Level("certain", 11, 7), "surer than right"),
        (Level("certain", 11, 11), "in keeping"),
        (Level("guessing", 12, 11), "better than you thought"),
        (Level("fairly sure", 13, 9), "in keeping"),
    ],
)
def test_confidence_is_judged_beyond_chance(level: Level, words: str) -> None:
    assert words in level.judgement


def test_the_plot_is_there_with_and_without_answers() -> None:
    empty = calibration()
    assert "No answers yet" in empty.sentence
    assert empty.picture.picture is not None
    answers = [given(str(n), n % 2 == 0, list(CONFIDENCE)[n % 3]) for n in range(18)]
    full = CalibrationView(answers)
    assert "You were right in 9 of 18 first answers." in full.sentence
    assert full.sentence in full.picture.alt
