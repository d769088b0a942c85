"""The calibration plot at the end of the course."""

from collections.abc import Sequence
from pathlib import Path

import ipywidgets as widgets

from crs.explorers.base import PictureView, Sentence, html_block
from crs.figures.calibration import Level, calibration_picture, calibration_sentence
from crs.quiz.answers import CONFIDENCE, GivenAnswer, recall


class CalibrationView(widgets.VBox):  # type: ignore[misc]  # ipywidgets is untyped
    """How often the learner was right, by how sure they were.

    Parameters
    ----------
    answers : sequence of GivenAnswer
        First answers.

    Attributes
    ----------
    levels : tuple of Level
        The levels of confidence that were used.
    sentence : str
        What the picture shows, in words.
    """

    def __init__(self, answers: Sequence[GivenAnswer]) -> None:
        super().__init__()
        self.add_class("crs-explorer")
        self.levels = levels_of(answers)
        self.sentence = calibration_sentence(self.levels)
        self.picture = PictureView()
        self.picture.show(calibration_picture(self.levels))
        heading = html_block()
        heading.value = '<div class="crs-title">How sure, and how right</div>'
        self.children = (heading, Sentence(text=self.sentence), self.picture)


def levels_of(answers: Sequence[GivenAnswer]) -> tuple[Level, ...]:
    """Count answers by confidence, from guessing to certain.

    Parameters
    ----------
    answers : sequence of GivenAnswer

    Returns
    -------
    tuple of Level
        Only levels with answers.
    """
    found = []
    for key, words in CONFIDENCE.items():
        those = [answer for answer in answers if answer.confidence == key]
        if those:
            found.append(Level(words, len(those), sum(answer.right for answer in those)))
    return tuple(found)


def calibration(path: Path | None = None) -> CalibrationView:
    """Show how well confidence and answers go together, over all quizzes so far.

    Parameters
    ----------
    path : Path, optional
        The file of answers; that of the notebook's folder by default.

    Returns
    -------
    CalibrationView
    """
    return CalibrationView(recall(path))
