"""Examiners, from the grader's side: trusted processes in which check cells run."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from autograder.sealed.definitions import Definitions
from autograder.sealed.wards import CellRun
from autograder.ward.frames import FrameError, TimedOut, receive, send

_START_SECONDS = 120.0
_MAX_REPLY = 256 * 2**20
# After its time a check is interrupted, and after this much more its examiner is ended.
_GRACE_SECONDS = 2.0
_ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)


class ExaminerError(Exception):
    """The examiner's process could not be started, or is gone."""


class ExaminerHost:
    """Starts a trusted interpreter once, and forks an examiner from it for each submission.

    Parameters
    ----------
    interpreter : Path, optional
        Python with the grading side installed; by default, the running one.
    warm : socket.socket, optional
        To an interpreter that `WarmInterpreter` has made ready. If it is lost, another is started.
    """

    def __init__(self, interpreter: Path | None = None, warm: socket.socket | None = None) -> None:
        self._interpreter = interpreter or Path(sys.executable)
        self._process: subprocess.Popen[bytes] | None = None
        self._sock: socket.socket | None = warm
        self._is_warm = warm is not None
        self._prepared: dict[tuple[tuple[str, ...], bool], None] = {}

    def __enter__(self) -> "ExaminerHost":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the interpreter and its examiners."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None
        self._is_warm = False
        if self._process is not None:
            _end(self._process)
            self._process = None

    def prepare(self, modules: Sequence[str], warm: bool = False) -> None:
        """Import modules before submissions need them.

        Parameters
        ----------
        modules : sequence of str
            Full names. What cannot be imported is left to the cells to say.
        warm : bool
            Also work out what the modules' exams need for any submission: right answers and wrong
            models. It takes seconds, and saves them for every wrong submission.
        """
        key = (tuple(modules), warm)
        if key not in self._prepared:
            self._prepared[key] = None
            if self._sock is not None and not self._is_warm:
                self._prepare(*key)

    def _prepare(self, modules: tuple[str, ...], warm: bool) -> None:
        self.ask({"do": "prepare", "modules": list(modules), "warm": warm})

    def open(
        self,
        environment: Mapping[str, str],
        folder: Path | None = None,
        asked: Collection[str] = (),
        definitions: Definitions | None = None,
        lines: Mapping[int, int] | None = None,
    ) -> "Examiner":
        """Fork an examiner.

        Parameters
        ----------
        environment : mapping of str to str
            Variables to set in it.
        folder : Path, optional
            Where its cells run; by default, an empty folder.
        asked : collection of str
            Names that the assignment asks learners to define; see `Namespace`.
        definitions : Definitions, optional
            What the instructor's notebook defines, where it is known.
        lines : mapping of int to int, optional
            How many lines the submission's cells have, by their numbers.

        Returns
        -------
        Examiner

        Raises
        ------
        ExaminerError
            If the interpreter cannot be started.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                reply = self.ask(
                    {
                        "do": "open",
                        "environment": dict(environment),
                        "folder": None if folder is None else str(folder.resolve()),
                        "asked": sorted(asked),
                        "definitions": None if definitions is None else definitions.tree(),
                        "lines": None if lines is None else list(lines.items()),
                    },
                    theirs.fileno(),
                )
            except BaseException:
                ours.close()
                raise
        return Examiner(self, ours, reply["pid"])

    def ask(self, request: dict[str, Any], *fds: int) -> dict[str, Any]:
        """Have the interpreter do something; start it first if need be.

        Raises
        ------
        ExaminerError
            If it cannot be started, or does not answer.
        """
        if self._sock is None:
            self._start()
        assert self._sock is not None
        try:
            send(self._sock, request, fds, seconds=_START_SECONDS)
            reply, _ = receive(self._sock, _START_SECONDS)
        except FrameError as error:
            self.close()
            raise ExaminerError(f"the examiner's process does not answer: {error}") from None
        if "error" in reply:
            raise ExaminerError(f"the examiner's process failed: {reply['error']}")
        return reply

    def _start(self) -> None:
        self._process, self._sock = _begin(self._interpreter)
        for modules, warm in self._prepared:
            self._prepare(modules, warm)


def _begin(
    interpreter: Path, *, own_session: bool = False
) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start an interpreter from which examiners are forked; it ends when the socket is closed."""
    ours, theirs = socket.socketpair()
    with theirs:
        name = str(theirs.fileno())
        try:
            process = subprocess.Popen(
                [str(interpreter), "-P", "-m", "autograder.sealed.examining", name],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={**os.environ, **_ONE_THREAD},
                start_new_session=own_session,
            )
        except OSError as error:
            ours.close()
            raise ExaminerError(f"the examiner cannot be started: {error}") from None
    return process, ours


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait for an interpreter whose socket is closed."""
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class WarmInterpreter:
    """An interpreter that is made ready once, of which several hosts get a fork each.

    Nothing here waits for it: it starts, imports and prepares while others work. What it cannot do,
    the hosts notice when they ask their forks, and they start interpreters of their own then.
    """

    def __init__(self) -> None:
        # A key press that stops the command is for the command to handle.
        self._process, self._sock = _begin(Path(sys.executable), own_session=True)

    def prepare(self, modules: Sequence[str], warm: bool) -> None:
        """Have it prepare, as `ExaminerHost.prepare` does."""
        self._say({"do": "prepare", "modules": list(modules), "warm": warm})

    def fork(self) -> socket.socket:
        """Have it fork another one like it, when it is ready.

        Returns
        -------
        socket.socket
            To the fork, for an `ExaminerHost`. The fork ends when this is closed.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            self._say({"do": "share"}, theirs.fileno())
        return ours

    def close(self) -> None:
        """End it; its forks end with their own sockets."""
        self._sock.close()
        _end(self._process)

    def _say(self, request: dict[str, Any], *fds: int) -> None:
        # Its answers are a few bytes each, and nobody needs them.
        with contextlib.suppress(FrameError):
            send(self._sock, request, fds, seconds=_START_SECONDS)


class Examiner:
    """The trusted process for one submission; made by `ExaminerHost.open`."""

    def __init__(self, host: ExaminerHost, sock: socket.socket, pid: int) -> None:
        self._host = host
        self._sock = sock
        self._pid = pid
        self.alive = True

    def __enter__(self) -> "Examiner":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._sock.close()
        if self.alive:
            self.alive = False
            with contextlib.suppress(ExaminerError):
                self._host.ask({"do": "kill", "pid": self._pid})

    def run(
        self,
        source: str,
        *,
        is_check: bool,
        holder: socket.socket | None = None,
        seconds: float,
        number: int | None = None,
        answered: Collection[str] = (),
    ) -> CellRun:
        """Run one cell.

        Parameters
        ----------
        source : str
            The cell.
        is_check : bool
            Whether it is a check, which asks the submission; else an instructor's cell.
        holder : socket.socket, optional
            For a check: the ward's copy at this place of the notebook.
        seconds : float
            How long it may run.
        number : int, optional
            The number that the cell shall show.
        answered : collection of str
            Names that the assignment has the answers define which stand between the last cell and
            this one.

        Returns
        -------
        CellRun
            Of status ``"ok"``, ``"error"``, ``"timeout"`` or ``"died"``.
        """
        started = time.monotonic()
        request = {
            "do": "run",
            "source": source,
            "check": is_check,
            "seconds": seconds,
            "number": number,
            "answered": sorted(answered),
        }
        fds = [holder.fileno()] if holder is not None and is_check else []
        timed_out = False
        try:
            send(self._sock, request, fds, seconds=seconds)
            try:
                reply, _ = receive(self._sock, seconds, _MAX_REPLY)
            except TimedOut:
                timed_out = True
                self._host.ask({"do": "interrupt", "pid": self._pid})
                reply, _ = receive(self._sock, _GRACE_SECONDS, _MAX_REPLY)
        except (FrameError, ExaminerError):
            self.close()
            return self._lost(timed_out, time.monotonic() - started, number)
        outputs = tuple(reply["outputs"])
        failed = any(output["output_type"] == "error" for output in outputs)
        took = time.monotonic() - started
        if timed_out:
            return CellRun(outputs, "timeout", _SLOW, took, reply["count"])
        return CellRun(outputs, "error" if failed else "ok", "", took, reply["count"])

    def _lost(self, timed_out: bool, seconds: float, number: int | None) -> CellRun:
        name = "TimeoutError" if timed_out else "RuntimeError"
        said = _SLOW if timed_out else _DIED
        output = {
            "output_type": "error",
            "ename": name,
            "evalue": said,
            "traceback": [f"{name}: {said}"],
        }
        return CellRun((output,), "timeout" if timed_out else "died", said, seconds, number)


_SLOW = "The check took too long and was stopped."
_DIED = "The check ended its own process. Please tell your instructor."
