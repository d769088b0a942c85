"""What assignments may import: tables and timelines to work on, and visible checks.

There is no rule and no answer in here.
"""

from crs.exercises.checks import NotYetError, expect, expect_value_error, try_it
from crs.exercises.tables import TIMELINE_NAMES, example_timeline, lee_against_astct

__all__ = [
    "TIMELINE_NAMES",
    "NotYetError",
    "example_timeline",
    "expect",
    "expect_value_error",
    "lee_against_astct",
    "try_it",
]
