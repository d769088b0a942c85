"""The pair that grades: one ward host and one examiner host for each way of grading."""

import atexit
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from autograder.sealed.errors import NotSealed
from autograder.sealed.wards import WardHost, WardSettings

if TYPE_CHECKING:
    from autograder.sealed.examiner import ExaminerHost

# Two courses can be graded in turn without starting anew each time.
_MOST = 2
_LOOKED = Path("/")
# Our own words, in a ward that no submission was in.
_LOOK = """
import os
seen = [path for path in {paths!r} if os.path.exists(path)]
print(f"{{seen[0]}} can be seen" if seen else "hidden")
"""


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
    _hidden: set[Path] = field(default_factory=set, repr=False, compare=False)

    def prepare(
        self, for_ward: Sequence[str], for_examiner: Sequence[str], *, warm: bool = False
    ) -> None:
        """Import modules before submissions need them.

        Parameters
        ----------
        for_ward, for_examiner : sequence of str
            Full names. What cannot be imported is left to the cells to say.
        warm : bool
            Also work out what exams need for any submission; it pays for several of them.
        """
        self.ward.prepare(for_ward)
        if self.examiner is not None:
            self.examiner.prepare(for_examiner, warm)

    def prove(self, secrets: Sequence[Path] = ()) -> None:
        """Prove the seal before marks are given; in shared mode, only that there are jails.

        Parameters
        ----------
        secrets : sequence of Path
            What must not exist in a ward: the gradebook, the source, submissions.

        Raises
        ------
        NotSealed
            With the property that does not hold. What was proved is remembered.
        """
        new = [path for path in secrets if path not in self._hidden]
        if self._hidden and not new:
            return
        if self.mode == "shared":
            with self.ward.open({}, {}):
                self._hidden.update([*new, _LOOKED])
            return
        from autograder.sealed import selftest

        selftest.ensure(self.ward.settings)
        with self.ward.open({}, {}) as ward:
            found = ward.run(_LOOK.format(paths=list(map(str, new)))).outputs
        text = str(found[0].get("text", "")) if found else ""
        if text != "hidden\n":
            raise NotSealed("no gradebook, source or other submission", text or "no answer")
        self._hidden.update([*new, _LOOKED])

    def close(self) -> None:
        """End both, and all that they started."""
        self.ward.close()
        if self.examiner is not None:
            self.examiner.close()


_open: dict[str, Hosts] = {}
_warm: list[socket.socket] = []
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

        examiner = ExaminerHost(warm=_warm.pop() if _warm else None)
    _open[key] = Hosts(settings.mode, WardHost(settings), examiner)
    return _open[key]


def use_warm(examiner: socket.socket) -> None:
    """Take examiners from an interpreter that is warm already.

    Parameters
    ----------
    examiner : socket.socket
        From `autograder.sealed.examiner.WarmInterpreter.fork`, for this process alone. The next
        hosts that are started in sealed mode take it.
    """
    _warm.append(examiner)


def close_hosts() -> None:
    """Close the hosts of this process."""
    if _owner == os.getpid():
        while _open:
            _open.popitem()[1].close()


atexit.register(close_hosts)
