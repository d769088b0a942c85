"""Questions agree with the tables, meet the misconceptions, and give feedback after the commit."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from crs.checked_yaml import read_checked
from crs.errors import InvalidFile, InvalidInput
from crs.guidelines import guideline_ids
from crs.quiz.questions import (
    QuizFile,
    QuizQuestion,
    answer_of_tables,
    load_quiz,
    question_folder,
    quiz_ids,
)
from crs.quiz.widget import Quiz

QUESTIONS = [(name, question) for name in quiz_ids() for question in load_quiz(name).questions]
every_question = pytest.mark.parametrize(
    ("quiz_id", "question"), QUESTIONS, ids=[f"{n}/{q.id}" for n, q in QUESTIONS]
)
# What the lessons must meet head-on.
MISCONCEPTIONS = (
    "afebrile after tocilizumab",
    "any intubation is grade 4",
    "oxygen at home",
    "one scale's grade fits another scale's rule",
    "IL-6 rising after tocilizumab means failure",
    "a normal CRP",
    "rules out infection",
    "ICANS means withholding tocilizumab from CRS",
    "hypotension means fluids without limit",
    "deciding to stop CAR T cells stops them",
    "tocilizumab has failed",
    "takes everything out",
)


def test_there_is_a_quiz_per_lesson() -> None:
    assert quiz_ids() == ("05-grading", "06-treatment", "07-pharmacokinetics")
    with pytest.raises(InvalidInput, match="05-grading"):
        load_quiz("99-nothing")


@pytest.mark.parametrize("misconception", MISCONCEPTIONS)
def test_each_misconception_is_met(misconception: str) -> None:
    assert any(misconception in question.meets for _, question in QUESTIONS)


@every_question
def test_the_right_option_is_what_the_tables_say(quiz_id: str, question: QuizQuestion) -> None:
    assert question.check is not None, "every question of these lessons can be checked"
    truth = answer_of_tables(question.check)
    values = [option.value for option in question.options]
    assert values[question.right] == truth
    assert values.count(truth) == 1


@every_question
def test_every_option_has_feedback_of_its_own(quiz_id: str, question: QuizQuestion) -> None:
    feedback = [option.feedback for option in question.options]
    assert len(set(feedback)) == len(feedback)
    assert all(len(text) > 40 for text in feedback)
    # Shown as plain text: no markup would be read.
    shown = [question.stem, *feedback, *(option.text for option in question.options)]
    assert not any(re.search(r"[*_`<]", text) for text in shown)
    assert "fictional" in question.stem or not re.search(r"\bpatient\b", question.stem)


@every_question
def test_the_right_option_is_not_given_away_by_its_length(
    quiz_id: str, question: QuizQuestion
) -> None:
    lengths = [len(option.text) for option in question.options]
    others = [length for at, length in enumerate(lengths) if at != question.right]
    assert lengths[question.right] <= 1.3 * max(others)


def test_the_right_option_moves_about() -> None:
    for name in quiz_ids():
        assert len({question.right for question in load_quiz(name).questions}) >= 2


@every_question
def test_sources_are_guidelines_or_have_a_reference(
    quiz_id: str, question: QuizQuestion, root: Path
) -> None:
    bibliography = (root / "course" / "references.bib").read_text(encoding="utf-8")
    for source in question.sources:
        if source not in guideline_ids():
            found = re.search(r"doi:(\S+)", source)
            assert found, source
            assert found[1] in bibliography


def test_feedback_comes_only_after_answer_and_confidence(tmp_path: Path) -> None:
    card = Quiz("05-grading", tmp_path / "answers.json").cards[0]
    assert card.feedback.html == ""
    assert card.form.missing == ("an answer", "how sure you are")
    card.form.fill(choice="2")
    card.form._handle_custom_msg({"commit": True}, [])
    assert not card.form.locked
    assert card.form.marks == {}
    with pytest.raises(InvalidInput, match="How sure are you"):
        card.form.commit()
    card.form.fill(confidence="certain")
    card.form._handle_custom_msg({"commit": True}, [])
    assert card.form.locked
    assert card.given is not None
    assert card.given.right


@pytest.mark.parametrize("option", [0, 1, 2, 3])
def test_every_option_shows_its_feedback_and_the_right_one_is_marked(
    option: int, tmp_path: Path
) -> None:
    card = Quiz("05-grading", tmp_path / "answers.json").cards[0]
    card.answer(option, "fairly-sure")
    marks = card.form.marks["choice"]
    for at, shown in enumerate(card.question.options):
        assert marks[str(at)]["text"] == shown.feedback
        assert ("right" in marks[str(at)]["word"]) == shown.right
        assert ("your answer" in marks[str(at)]["word"]) == (at == option)
    right = option == card.question.right
    assert ("<strong>Right.</strong>" in card.feedback.html) == right
    assert ("<strong>Not right.</strong>" in card.feedback.html) == (not right)
    # A screen reader hears the feedback of the chosen option.
    assert card.question.options[option].feedback.split(",")[0] in card.feedback.html
    assert "Lee DW, Santomasso BD" in card.feedback.html


def test_an_answer_cannot_be_changed_and_a_wrong_click_is_refused(tmp_path: Path) -> None:
    card = Quiz("05-grading", tmp_path / "answers.json").cards[0]
    with pytest.raises(InvalidInput):
        card.answer(9, "certain")
    with pytest.raises(InvalidInput):
        card.answer(1, "very")
    card.answer(1, "certain")
    given = card.given
    card.answer(2, "certain")
    assert card.given == given


def test_the_sentence_counts(tmp_path: Path) -> None:
    quiz = Quiz("06-treatment", tmp_path / "answers.json")
    assert quiz.sentence == "0 of 5 answered."
    quiz.cards[0].answer(quiz.cards[0].question.right, "certain")
    wrong = (quiz.cards[1].question.right + 1) % 4
    quiz.cards[1].answer(wrong, "certain")
    assert quiz.sentence == (
        "2 of 5 answered, 1 right. Of those you were certain of, 1 of 2 were right."
    )


# What is refused, with file and line

GOOD = (question_folder() / "05-grading.yaml").read_text(encoding="utf-8")
MISTAKES: dict[str, tuple[Callable[[str], str], str]] = {
    "two right": (
        lambda t: t.replace(
            "value: [1]\n        feedback: >-\n          Grade 1 is",
            "value: [1]\n        right: true\n        feedback: >-\n          Grade 1 is",
        ),
        "one option must be right",
    ),
    "none right": (lambda t: t.replace("        right: true\n", "", 1), "one option must be right"),
    "against the tables": (
        lambda t: t.replace("treated: true, ", ""),
        "the tables say",
    ),
    "a check that no table takes": (
        lambda t: t.replace("flow_l_min: 4}", "flow_l_min: 4, mood: good}"),
        "mood",
    ),
    "no such model": (
        lambda t: t.replace(
            "      scales: [astct-2019]", "      model: astrology\n      given: {}", 1
        ),
        "model",
    ),
    "no value": (lambda t: t.replace("        value: [0]\n", "", 1), "needs a value"),
    "unknown key": (lambda t: t.replace("  - id: home", "  - hint: x\n    id: home"), "hint"),
    "one id twice": (lambda t: t.replace("id: home-oxygen", "id: bronchoscopy"), "two questions"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_with_file_and_line(mistake: str, tmp_path: Path) -> None:
    change, words = MISTAKES[mistake]
    text = change(GOOD)
    assert text != GOOD
    path = tmp_path / "05-grading.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidFile, match=words) as caught:
        read_checked(path, QuizFile)
    assert caught.value.file == path
    assert 1 < caught.value.line <= len(text.splitlines())
