"""The quiz in a lesson: choose, say how sure you are, then read the feedback."""

from collections.abc import Callable
from html import escape
from pathlib import Path

import ipywidgets as widgets

from crs.explorers.base import Sentence, html_block
from crs.explorers.form import Answers, Form, FormContent, LiveRegion, Question
from crs.quiz.answers import CONFIDENCE, GivenAnswer, remember
from crs.quiz.questions import QuizQuestion, load_quiz

_CHOICE = "choice"
_CONFIDENCE = "confidence"


class QuestionCard(widgets.VBox):  # type: ignore[misc]  # ipywidgets is untyped
    """One question with its form and its feedback.

    Parameters
    ----------
    quiz_id : str
        The lesson.
    question : QuizQuestion
        What is asked.
    number, of : int
        Its place.
    on_answer : callable
        Called with the answer, once.

    Attributes
    ----------
    given : GivenAnswer or None
        The answer, once it is given.
    form : Form
        The options and the confidence.
    """

    def __init__(
        self,
        quiz_id: str,
        question: QuizQuestion,
        number: int,
        of: int,
        on_answer: Callable[[GivenAnswer], None],
    ) -> None:
        super().__init__()
        self.add_class("crs-question-card")
        self.quiz_id = quiz_id
        self.question = question
        self.given: GivenAnswer | None = None
        self._on_answer = on_answer
        content = FormContent(
            key=f"{quiz_id}/{question.id}",
            name=f"Question {number} of {of}",
            kicker=f"Question {number} of {of}",
            questions=(
                Question(
                    _CHOICE,
                    question.stem,
                    {str(at): option.text for at, option in enumerate(question.options)},
                    short="an answer",
                ),
                Question(
                    _CONFIDENCE,
                    "How sure are you?",
                    CONFIDENCE,
                    kind="line",
                    short="how sure you are",
                ),
            ),
            button="Check my answer",
        )
        self.form = Form(content, self._on_commit)
        self.feedback = LiveRegion()
        self.children = (self.form, self.feedback)

    def answer(self, option: int, confidence: str) -> None:
        """Choose and commit, as a click in the browser does.

        Parameters
        ----------
        option : int
            Position of the option.
        confidence : str
            One of `crs.quiz.answers.CONFIDENCE`.

        Raises
        ------
        InvalidInput
            If there is no such option or confidence.
        """
        self.form.fill(**{_CHOICE: str(option), _CONFIDENCE: confidence})
        self.form.commit()

    def _on_commit(self, answers: Answers) -> None:
        chosen = int(str(answers[_CHOICE]))
        option = self.question.options[chosen]
        confidence = str(answers[_CONFIDENCE])
        self.given = GivenAnswer(self.quiz_id, self.question.id, chosen, option.right, confidence)
        self.form.mark(
            {
                _CHOICE: {
                    str(at): {
                        "word": _word(it.right, at == chosen),
                        "tone": "good" if it.right else "bad" if at == chosen else "plain",
                        "text": it.feedback,
                    }
                    for at, it in enumerate(self.question.options)
                }
            }
        )
        self.feedback.html = feedback_html(self.question, chosen, confidence)
        self.feedback.focus()
        self._on_answer(self.given)


def _word(right: bool, chosen: bool) -> str:
    if right:
        return "✓ right, your answer" if chosen else "✓ right"
    return "✗ your answer" if chosen else ""


def feedback_html(question: QuizQuestion, chosen: int, confidence: str) -> str:
    """Say whether an answer is right, how that goes with the confidence, and by which source.

    Parameters
    ----------
    question : QuizQuestion
        What was asked.
    chosen : int
        Position of the option.
    confidence : str
        One of `crs.quiz.answers.CONFIDENCE`.

    Returns
    -------
    str
        HTML. The feedback itself stands beside the options; here it is for screen readers only.
    """
    option = question.options[chosen]
    sure = CONFIDENCE[confidence]
    verdict = "Right" if option.right else "Not right"
    remark = {
        (True, "guessing"): "You were guessing: read why, so that next time you know.",
        (False, "certain"): "You were certain: this is the one to remember.",
    }.get((option.right, confidence), f"You were {sure}.")
    sources = " ".join(f"{escape(citation)}." for citation in question.citations)
    return (
        f'<p class="crs-verdict"><strong>{verdict}.</strong> {remark}</p>'
        f'<p class="crs-visually-hidden">{escape(option.feedback)}</p>'
        f'<p class="crs-more">Source: {sources}</p>'
    )


class Quiz(widgets.VBox):  # type: ignore[misc]  # ipywidgets is untyped
    """The self-check of a lesson.

    Parameters
    ----------
    quiz_id : str
        For example ``"05-grading"``; `crs.quiz.quiz_ids` lists them.
    path : Path, optional
        Where answers are kept; a small file in the notebook's folder by default.

    Attributes
    ----------
    cards : tuple of QuestionCard
        One per question.
    """

    def __init__(self, quiz_id: str, path: Path | None = None) -> None:
        super().__init__()
        self.add_class("crs-explorer")
        self.add_class("crs-quiz")
        quiz = load_quiz(quiz_id)
        self._path = path
        self._kept = True
        total = len(quiz.questions)
        self.cards = tuple(
            QuestionCard(quiz_id, question, number, total, self._on_answer)
            for number, question in enumerate(quiz.questions, 1)
        )
        heading = html_block()
        heading.value = f'<div class="crs-title">{escape(quiz.title)}</div>'
        self._sentence = Sentence()
        self._say()
        self.children = (heading, *self.cards, self._sentence)

    @property
    def sentence(self) -> str:
        """How far the learner is, in words."""
        return str(self._sentence.text)

    def _on_answer(self, answer: GivenAnswer) -> None:
        self._kept = remember(answer, self._path) and self._kept
        self._say()

    def _say(self) -> None:
        given = [card.given for card in self.cards if card.given is not None]
        right = sum(answer.right for answer in given)
        words = f"{len(given)} of {len(self.cards)} answered"
        words += f", {right} right." if given else "."
        certain = [answer for answer in given if answer.confidence == "certain"]
        if certain:
            words += (
                f" Of those you were certain of, {sum(a.right for a in certain)} "
                f"of {len(certain)} were right."
            )
        if not self._kept:
            words += " Your answers could not be saved; they last until this notebook is closed."
        self._sentence.text = words
