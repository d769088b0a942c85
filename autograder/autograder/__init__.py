"""Grading side of the course: exams, checks and the way from release to feedback.

For ``nbgrader_config.py`` of any course::

    from autograder import seal

    c = get_config()
    seal(c)
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autograder.sealed.seal import seal

__all__ = ["seal"]


def __getattr__(name: str) -> object:
    # Checks import this package in every examiner, and most of them need no part of the seal.
    if name == "seal":
        from autograder.sealed.seal import seal

        return seal
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
