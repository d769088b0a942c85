"""Self-check questions with feedback, and how well confidence and answers go together."""

from crs.quiz.calibration import CalibrationView, calibration
from crs.quiz.questions import quiz_ids
from crs.quiz.widget import Quiz

__all__ = ["CalibrationView", "Quiz", "calibration", "quiz_ids"]
