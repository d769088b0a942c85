"""Warnings of a submission, for a check that looks at them."""

import warnings

from autograder.sealed.told import error_of, list_of
from autograder.ward.serve import MAX_WARNINGS

_SHOWS_A_WARNING = getattr(warnings, "_showwarnmsg_impl", None)


def are_warnings_recorded() -> bool:
    """Tell whether the check looks at warnings, as in `pytest.warns`; nobody else reads them.

    Returns
    -------
    bool
    """
    return getattr(warnings, "_showwarnmsg_impl", _SHOWS_A_WARNING) is not _SHOWS_A_WARNING


def warn_again(told: object) -> None:
    """Warn as the submission did.

    Parameters
    ----------
    told : object
        What the ward says: pairs of a built-in category and a text.
    """
    for pair in list_of(told)[:MAX_WARNINGS]:
        if type(pair) is list and len(pair) == 2 and type(pair[1]) is str:
            kind = error_of(pair[0])
            if kind is not None and issubclass(kind, Warning):
                warnings.warn_explicit(pair[1], kind, "<submission>", 1, "__main__", {})
