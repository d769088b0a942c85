"""What can go wrong when grading is sealed, and how it is said.

::

    SealError                 this machine, or this course, cannot be graded as configured
     ├─ SealConfigError       nbgrader_config.py asks for something that cannot be
     └─ NotSealed             a property of the seal does not hold here
    BrokenSubmission          one submission cannot be graded; the others can
"""

WAYS_OUT = (
    "There are two ways out. Grade on a machine where the seal holds: Linux with user namespaces; "
    '`autograder selftest` shows what is missing. Or grade without it: seal(c, mode="shared") '
    "runs each submission and its checks in one jailed process, as nbgrader does, and then a "
    "submission that sets out to cheat can."
)


class SealError(Exception):
    """Grading cannot begin; the message says why, and what to do."""


class SealConfigError(SealError):
    """The configuration asks for something that cannot be."""


class NotSealed(SealError):
    """A property of the seal does not hold on this machine, so no marks are given.

    Parameters
    ----------
    what : str
        The property, such as ``"no network"``.
    reason : str
        What was found.
    """

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(
            f"Submissions cannot be sealed on this machine. The property {what!r} does not hold: "
            f"{reason.rstrip('.')}. {WAYS_OUT}"
        )
        self.what = what
        self.reason = reason


class BrokenSubmission(Exception):
    """A submission that cannot be graded.

    Parameters
    ----------
    reason : str
        One sentence that a learner can act on.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
