"""Clinical rules as data, and the small engine that applies them."""

from crs.guidelines.engine import Match, Verdict, actions, first_row, grade, matching_rows
from crs.guidelines.loader import guideline, guideline_ids
from crs.guidelines.schema import Guideline

__all__ = [
    "Guideline",
    "Match",
    "Verdict",
    "actions",
    "first_row",
    "grade",
    "guideline",
    "guideline_ids",
    "matching_rows",
]
