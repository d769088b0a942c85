"""The pair that grades: one ward host and one examiner host for each way of grading."""

import atexit
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from autograder.sealed.wards import WardHost, WardSettings

if TYPE_CHECKING:
    from autograder.sealed.examiner import ExaminerHost

# Two courses can be graded in turn without starting anew each time.
_MOST = 2


@dataclass(frozen=True)
class Hosts:
    """Ward and examiner.

    Attributes
    ----------
    mode : str
        ``"sealed"``, or ``"shared"``: the checks run in the ward.
    ward : WardHost
        Opens wards.
    examiner : ExaminerHost or None
        Opens examiners; None in shared mode.
    """

    mode: Literal["sealed", "shared"]
    ward: WardHost
    examiner: "ExaminerHost | None"

    def prepare(self, for_ward: Sequence[str], for_examiner: Sequence[str]) -> None:
        """Import modules before submissions need them.

        Parameters
        ----------
        for_ward, for_examiner : sequence of str
            Full names. What cannot be imported is left to the cells to say.
        """
        self.ward.prepare(for_ward)
        if self.examiner is not None:
            self.examiner.prepare(for_examiner)

    def prove(self, secrets: Sequence[Path] = ()) -> None:
        """Prove the seal on this machine, once for each boot, before marks are given.

        Parameters
        ----------
        secrets : sequence of Path
            What must not exist in a ward: the gradebook, the source, submissions.

        Raises
        ------
        NotSealed
            With the property that does not hold. In shared mode nothing is claimed.
        """
        if self.mode == "sealed":
            from autograder.sealed import selftest

            selftest.ensure(self.ward.settings, secrets)

    def close(self) -> None:
        """End both, and all that they started."""
        self.ward.close()
        if self.examiner is not None:
            self.examiner.close()


_open: dict[str, Hosts] = {}
_owner = os.getpid()


def hosts_for(settings: WardSettings) -> Hosts:
    """Return the hosts for some settings, the same ones each time.

    Parameters
    ----------
    settings : WardSettings
        What wards are like.

    Returns
    -------
    Hosts
        Started when first used, and closed when the process ends.
    """
    global _owner
    if _owner != os.getpid():
        # The parent's hosts are not this process's to close.
        _open.clear()
        _owner = os.getpid()
    key = repr(settings)
    if key in _open:
        _open[key] = _open.pop(key)
        return _open[key]
    while len(_open) >= _MOST:
        _open.pop(next(iter(_open))).close()
    examiner = None
    if settings.mode == "sealed":
        from autograder.sealed.examiner import ExaminerHost

        examiner = ExaminerHost()
    _open[key] = Hosts(settings.mode, WardHost(settings), examiner)
    return _open[key]


def close_hosts() -> None:
    """Close the hosts of this process."""
    if _owner == os.getpid():
        while _open:
            _open.popitem()[1].close()


atexit.register(close_hosts)
