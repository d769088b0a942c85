"""The page that learners read after grading: safe, whole in one file, and without script.

`DropHiddenChecks` takes out what a learner must not see, `MakePage` works out what the page says,
`FeedbackExporter` lays it out. ``autograder.seal`` puts them into nbgrader's configuration.
"""

from autograder.feedback.exporter import FeedbackExporter
from autograder.feedback.findings import first_sentence
from autograder.feedback.steps import DropHiddenChecks, MakePage

__all__ = ["DropHiddenChecks", "FeedbackExporter", "MakePage", "first_sentence"]
