"""What can go wrong in the course library, and how it is said.

The tree::

    CourseError
    ├── InvalidInput (also a ValueError)    a value that no rule can be applied to
    └── InvalidFile                         a file of the course that does not follow its schema
"""

from pathlib import Path


class CourseError(Exception):
    """Base of every error that the course library raises on purpose."""


class InvalidInput(CourseError, ValueError):
    """A value that no rule can be applied to.

    Parameters
    ----------
    field : str
        Name of the argument or input, as the caller wrote it.
    value : object
        What was given.
    allowed : str
        What would have been accepted, in words.
    """

    def __init__(self, field: str, value: object, allowed: str) -> None:
        self.field = field
        self.value = value
        self.allowed = allowed
        super().__init__(f"{field} is {value!r}, but must be {allowed}.")


class InvalidFile(CourseError):
    """A file of the course that does not follow its schema.

    Parameters
    ----------
    file : Path
        The file that was read.
    line : int
        One-based line of the offending entry.
    problem : str
        What is wrong and what would be right.
    """

    def __init__(self, file: Path, line: int, problem: str) -> None:
        self.file = file
        self.line = line
        self.problem = problem
        super().__init__(f"{file.name}, line {line}: {problem}")
