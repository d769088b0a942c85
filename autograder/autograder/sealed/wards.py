"""Wards, as the grader sees them: open one for a submission, run its cells, keep copies, close it.

Everything that comes out of a ward is data from a stranger. It is parsed strictly, its size and
its time are bounded here, and nothing in it is believed but as the submission's own answer.
"""

import atexit
import binascii
import contextlib
import math
import os
import select
import signal
import socket
import subprocess
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, Literal, Self

import autograder.jail
import autograder.ward
from autograder.jail import RUNTIME, JailSpec
from autograder.sealed.limits import Limits
from autograder.ward import frames

Status = Literal["ok", "error", "timeout", "died", "limit"]

_KIB = 1024
# Starting an interpreter and importing pandas, on a busy machine.
_START_SECONDS = 120
# A fork takes milliseconds.
_COPY_SECONDS = 10
_PREPARE_SECONDS = 300
_ANSWER_SECONDS = 30
# After an interrupt, a cell may still tidy up.
_GRACE_SECONDS = 2.0
_INTERRUPTS = 3
_START = (
    f"import sys; sys.path.insert(0, {RUNTIME!r}); "
    "from ward import template; template.begin({fd})"
)
_MAX_FILES = 2000
_MAX_NAME_BYTES = 255
_MAX_PATH_BYTES = 1024
# One control character takes six bytes in JSON.
_JSON_GROWTH = 6
_MAX_MESSAGE_SLACK = 2**20
_MAX_ITEMS_PER_CELL = 200_000
_MAX_OUTPUTS = 10_000
_MAX_DEPTH = 100
_MAX_BITS = 1024


class WardError(Exception):
    """The grader itself could not make or use a ward: no fault of a submission."""


class BadFile(ValueError):
    """A submission's file that cannot be put into a ward.

    Parameters
    ----------
    name : str
        Its name, as submitted.
    reason : str
        What is wrong with it.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"the file {name!r} {reason}")
        self.name = name
        self.reason = reason


@dataclass(frozen=True)
class CellRun:
    """What came of one cell.

    Attributes
    ----------
    outputs : tuple of dict
        Outputs of nbformat 4, plain dictionaries.
    status : str
        ``"ok"``; ``"error"``: an exception of the cell's own; ``"timeout"``: stopped after its
        time, and `Ward.alive` says whether the notebook survived it; ``"died"``: it ended its
        process; ``"limit"``: it met another limit.
    diagnosis : str
        For a timeout, a death or a limit: what happened and what to do, for a learner. Else empty.
    seconds : float
        How long it ran.
    execution_count : int or None
        Its number, as in ``In [3]``.
    """

    outputs: tuple[dict[str, Any], ...]
    status: Status
    diagnosis: str
    seconds: float
    execution_count: int | None = None


@dataclass(frozen=True)
class WardSettings:
    """What the wards of one host are like.

    Attributes
    ----------
    interpreter : Path
        The learner's Python.
    course_packages : mapping of str to tuple of str
        Packages of the course, and the modules of each that a submission may import.
    hidden_packages : tuple of str
        Packages that must not exist in a ward; they import as stand-ins.
    limits : Limits
        What a submission may use.
    backend : str
        How the jail is built: ``"auto"``, ``"namespaces"`` or ``"landlock"``.
    mode : str
        ``"sealed"``, or ``"shared"``: nothing of the environment is hidden, as the checks run in
        the ward, too.
    """

    interpreter: Path
    course_packages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hidden_packages: tuple[str, ...] = ("autograder",)
    limits: Limits = field(default_factory=Limits)
    backend: Literal["auto", "namespaces", "landlock"] = "auto"
    mode: Literal["sealed", "shared"] = "sealed"


def jail_spec(settings: WardSettings) -> tuple[JailSpec, tuple[str, ...]]:
    """Say which jail the settings ask for.

    Parameters
    ----------
    settings : WardSettings
        The settings.

    Returns
    -------
    spec : JailSpec
        The jail.
    path : tuple of str
        Folders from which its Python must also import.
    """
    runtime = tuple(_folder_of(package) for package in (autograder.ward, autograder.jail))
    sites = _site_folders(settings.interpreter)
    hidden: list[Path] = []
    only: dict[Path, tuple[str, ...]] = {}
    path: list[str] = []
    if settings.mode == "sealed":
        hidden += [
            site / name
            for name in settings.hidden_packages
            for site in sites
            if (site / name).exists()
        ]
    for package, allowed in _packages(settings).items():
        place = next((site / package for site in sites if (site / package).is_dir()), None)
        if place is None:
            place = _elsewhere(package)
            if place is None:
                continue
            path.append(str(place.parent))
            if settings.mode == "shared":
                only[place.parent] = (*only.get(place.parent, ()), package)
        if settings.mode == "sealed":
            only[place] = _real_files(place, package, allowed)
    return (
        JailSpec(
            interpreter=settings.interpreter,
            runtime=runtime,
            hidden=tuple(hidden),
            only=only,
            backend=settings.backend,
        ),
        tuple(dict.fromkeys(path)),
    )


def _packages(settings: WardSettings) -> dict[str, tuple[str, ...]]:
    """Return the packages that need a place of their own in the jail."""
    if settings.mode == "sealed":
        return dict(settings.course_packages)
    return dict.fromkeys((*settings.course_packages, *settings.hidden_packages), ())


def _folder_of(package: Any) -> Path:
    return Path(package.__file__).parent


def _site_folders(interpreter: Path) -> list[Path]:
    # A virtual environment's interpreter is a link, which must not be followed.
    prefix = Path(os.path.abspath(interpreter)).parent.parent  # noqa: PTH100
    return sorted(prefix.glob("lib*/python3*/site-packages"))


def _elsewhere(package: str) -> Path | None:
    """Find a package that the grader imports from a checkout."""
    import importlib.util

    with contextlib.suppress(ImportError, ValueError):
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin is not None:
            return Path(spec.origin).parent
    return None


def _real_files(place: Path, package: str, allowed: Sequence[str]) -> tuple[str, ...]:
    """List a package's files that are real in a ward: allowed modules and what they lie in."""
    found: list[str] = []
    for module in allowed:
        parts = module.split(".")
        if parts[0] != package:
            raise ValueError(f"{module!r} is no module of the package {package!r}")
        for depth in range(1, len(parts)):
            found.append("/".join([*parts[1:depth], "__init__.py"]))
        relative = "/".join(parts[1:])
        for candidate in (relative, f"{relative}.py"):
            if relative and (place / candidate).exists():
                found.append(candidate)
    return tuple(dict.fromkeys(found))


def check_files(files: Mapping[str, bytes], limits: Limits) -> None:
    """Refuse files that a ward must not be given.

    Parameters
    ----------
    files : mapping of str to bytes
        Content by name, relative to the ward's home, with forward slashes.
    limits : Limits
        What a submission may use.

    Raises
    ------
    BadFile
        For a name that leads elsewhere, and for too many or too large files.
    """
    if len(files) > _MAX_FILES:
        raise BadFile(next(iter(files)), f"is one of {len(files)}; {_MAX_FILES} are allowed")
    total = 0
    for name, content in files.items():
        parts = PurePosixPath(name).parts
        if (
            not parts
            or name.startswith("/")
            or name != "/".join(parts)
            or any(part in (".", "..") for part in parts)
            or any(not character.isprintable() for character in name)
            or "\\" in name
        ):
            raise BadFile(name, "has a name that a submission's file cannot have")
        if len(name.encode("utf-8", "replace")) > _MAX_PATH_BYTES or any(
            len(part.encode("utf-8", "replace")) > _MAX_NAME_BYTES for part in parts
        ):
            raise BadFile(name[:80], "has too long a name")
        total += len(content)
        if total > limits.disk_mib * 2**20 * 3 // 4:
            raise BadFile(name, f"does not fit: all files may take {limits.disk_mib} MiB")
    for name in files:
        if any(str(parent) in files for parent in PurePosixPath(name).parents):
            raise BadFile(name, "lies below another file")


class WardHost:
    """Opens wards, as forks of one warm interpreter in a jail.

    It may be used by several threads. In a process forked from the one that made it, it starts
    anew. It is closed when the process ends.

    Parameters
    ----------
    settings : WardSettings
        What the wards are like.
    """

    # For looking at faults of the warm interpreter itself.
    _show_stderr = False

    def __init__(self, settings: WardSettings) -> None:
        self.settings = settings
        self._lock = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._sock: socket.socket | None = None
        self._owner = os.getpid()
        self._number = 0
        self._modules: list[str] = []
        self._prepared: set[str] = set()
        self._generation = 0
        _open_hosts.add(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def prepare(self, modules: Sequence[str]) -> None:
        """Import modules before wards are made, to save each ward the time.

        Parameters
        ----------
        modules : sequence of str
            Full names. What cannot be imported, or starts threads, is left out without a word.
        """
        with self._lock:
            self._modules += [name for name in modules if name not in self._modules]
            with contextlib.suppress(frames.FrameError):
                self._prepare(self._started())

    def open(
        self, files: Mapping[str, bytes], environment: Mapping[str, str], copies: int = 0
    ) -> "Ward":
        """Open a ward for one submission.

        Parameters
        ----------
        files : mapping of str to bytes
            The files in its home, by relative name.
        environment : mapping of str to str
            Environment variables, beyond those that every ward has.
        copies : int
            How many copies of the notebook will be kept. They do not count as processes of the
            submission.

        Returns
        -------
        Ward
            To be closed, best by a ``with`` statement.

        Raises
        ------
        BadFile
            Where a file cannot be put there.
        WardError
            Where a ward cannot be made.
        """
        check_files(files, self.settings.limits)
        with self._lock:
            try:
                return self._open(files, environment, copies)
            except (frames.FrameError, OSError):
                # The warm interpreter is gone: once, start another.
                self.close()
            try:
                return self._open(files, environment, copies)
            except (frames.FrameError, OSError) as error:
                self.close()
                raise WardError(f"a ward could not be opened: {error}") from error

    def close(self) -> None:
        """End the warm interpreter and all its wards. The host starts again when it is used."""
        with self._lock:
            process, self._process = self._process, None
            sock, self._sock = self._sock, None
            self._prepared.clear()
            if sock is not None:
                sock.close()
            if process is None:
                return
            if self._owner != os.getpid():
                self._forget(process)
                return
            if process.stdin is not None:
                with contextlib.suppress(OSError):
                    process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    @staticmethod
    def _forget(process: subprocess.Popen[bytes]) -> None:
        """Let go of another process's child without touching it."""
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        process.returncode = 0

    def _launch(self, fd: int) -> tuple[subprocess.Popen[bytes], tuple[str, ...]]:
        """Start the warm interpreter in its jail."""
        spec, path = jail_spec(self.settings)
        argv = ["-B", "-c", _START.format(fd=fd)]
        process = autograder.jail.launch(
            spec, argv, [fd], self.settings.limits.raw(), stderr=self._show_stderr
        )
        return process, path

    def _started(self) -> socket.socket:
        if self._owner != os.getpid():
            self.close()
            self._owner = os.getpid()
        if self._sock is not None:
            return self._sock
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._process, path = self._launch(theirs.fileno())
            self._generation += 1
            frames.send(ours, self._first_message(path), seconds=_ANSWER_SECONDS)
            reply, _ = frames.receive(ours, _START_SECONDS, 2**16)
            if "error" in reply:
                raise frames.Closed(str(reply["error"]))
        except frames.FrameError as error:
            ours.close()
            self.close()
            raise WardError(
                f"the learner's Python {self.settings.interpreter} could not be started in a "
                f"jail, or lacks IPython: {error}"
            ) from error
        except BaseException:
            ours.close()
            raise
        self._sock = ours
        self._prepare(ours)
        return ours

    def _first_message(self, path: Sequence[str]) -> dict[str, Any]:
        settings = self.settings
        stand_ins: dict[str, list[str]] = {}
        if settings.mode == "sealed":
            stand_ins = {name: list(real) for name, real in settings.course_packages.items()}
            stand_ins |= {name: [] for name in settings.hidden_packages}
        return {
            "limits": vars(settings.limits.raw()),
            "stand_ins": stand_ins,
            "path": list(path),
            "start_bytes": settings.limits.disk_mib * 2**20 * 3 // 2 + 2**20,
        }

    def _prepare(self, sock: socket.socket) -> None:
        new = [name for name in self._modules if name not in self._prepared]
        if new:
            frames.send(sock, {"do": "prepare", "modules": new}, seconds=_ANSWER_SECONDS)
            frames.receive(sock, _PREPARE_SECONDS, 2**16)
            self._prepared.update(new)

    def _open(
        self, files: Mapping[str, bytes], environment: Mapping[str, str], copies: int
    ) -> "Ward":
        sock = self._started()
        self._number += 1
        with contextlib.ExitStack() as stack:
            control, init = _pair(stack)
            cells, main = _pair(stack)
            request = {"do": "open", "number": self._number, "copies": copies}
            frames.send(sock, request, [init.fileno(), main.fileno()], seconds=_ANSWER_SECONDS)
            init.close()
            main.close()
            reply, _ = frames.receive(sock, _ANSWER_SECONDS, 4096)
            if "error" in reply:
                raise WardError(str(reply["error"]))
            start = {
                "files": {
                    name: binascii.b2a_base64(content, newline=False).decode("ascii")
                    for name, content in files.items()
                },
                "environment": dict(environment),
                "memory_bytes": self.settings.limits.memory_mib * 2**20,
            }
            frames.send(control, start, seconds=_ANSWER_SECONDS)
            reply, _ = frames.receive(control, _ANSWER_SECONDS, 4096)
            if "no_room" in reply:
                raise BadFile(
                    next(iter(files)), f"does not fit with the others ({reply['no_room']})"
                )
            stack.pop_all()
            return Ward(self, self._generation, self._number, control, cells)

    def _end(self, generation: int, number: int) -> None:
        """End a ward, and wait until all its processes are gone."""
        with self._lock:
            if generation != self._generation or self._sock is None or self._owner != os.getpid():
                return
            try:
                frames.send(self._sock, {"do": "close", "number": number}, seconds=_ANSWER_SECONDS)
                reply, _ = frames.receive(self._sock, _ANSWER_SECONDS, 4096)
            except frames.FrameError:
                reply = {}
            if reply.get("gone") is not True:
                # With the jail, the kernel ends all that is in it.
                self.close()


_open_hosts: "weakref.WeakSet[WardHost]" = weakref.WeakSet()


def _renew_locks() -> None:
    """Free the locks that another thread held when this process was forked."""
    for host in list(_open_hosts):
        host._lock = threading.RLock()


os.register_at_fork(after_in_child=_renew_locks)


@atexit.register
def _close_hosts() -> None:
    for host in list(_open_hosts):
        host.close()


def _pair(stack: contextlib.ExitStack) -> tuple[socket.socket, socket.socket]:
    pair = socket.socketpair()
    for end in pair:
        stack.callback(end.close)
    return pair


class Ward:
    """One submission's ward. Closing it ends all that the submission started.

    Made by `WardHost.open`.

    Attributes
    ----------
    alive : bool
        Whether the process that runs the cells is still there.
    """

    def __init__(
        self,
        host: WardHost,
        generation: int,
        number: int,
        control: socket.socket,
        cells: socket.socket,
    ) -> None:
        self._host = host
        self._limits = host.settings.limits
        self._place = generation, number
        self._control = control
        self._cells = cells
        self._request = 0
        self._holders: list[int] = []
        self._seconds = 0.0
        self._bytes = 0
        self._end: dict[str, Any] = {}
        self.alive = True
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def run(
        self, source: str, seconds: float | None = None, *, number: int | None = None
    ) -> CellRun:
        """Run one cell.

        Parameters
        ----------
        source : str
            Its text.
        seconds : float, optional
            How long it may run; without it, as the limits say.
        number : int, optional
            Its number, as in ``In [3]``; without it, one more than the last.

        Returns
        -------
        CellRun
            Whatever the cell does. Afterwards `alive` tells whether the next one can run here.
        """
        limits = self._limits
        left = limits.notebook_seconds - self._seconds
        room = limits.notebook_output_kib * _KIB - self._bytes
        if not self.alive:
            return _ended("died", "This notebook's process had ended before this cell.", 0.0)
        if left <= 0:
            return _ended("limit", limits.diagnosis("notebook_seconds"), 0.0)
        asked = limits.cell_seconds if seconds is None else seconds
        started = time.monotonic()
        run = self._run(source, min(asked, left), max(room, _KIB), number)
        used = time.monotonic() - started
        self._seconds += used
        if run.status == "timeout" and left < asked:
            run = _ended("limit", limits.diagnosis("notebook_seconds"), used, run.outputs)
        return run

    def checkpoint(self) -> socket.socket:
        """Keep a copy of the notebook as it is now.

        Returns
        -------
        socket.socket
            To the copy, which is called a holder.

        Raises
        ------
        WardError
            Where the submission does not let a copy be made.
        """
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                pid = self._copy(theirs)
                if pid == 0:
                    # Processes that a cell left behind leave no room for the copy.
                    self.sweep()
                    pid = self._copy(theirs)
            if pid == 0:
                raise frames.Malformed("the cells' process has too many threads")
        except frames.FrameError as error:
            ours.close()
            self._kill_main()
            raise WardError(f"the notebook could not be copied for its checks: {error}") from error
        self._holders.append(pid)
        return ours

    def _copy(self, holder: socket.socket) -> int:
        """Have the cells' process fork a holder; return its id, and 0 where it could not."""
        reply = self._ask({"do": "checkpoint"}, [holder.fileno()], _COPY_SECONDS, 4096)
        pid = reply.get("pid")
        if type(pid) is not int:
            raise frames.Malformed("no process id")
        return pid

    def finish(self) -> None:
        """End the cells' process and all that it started, but not the holders."""
        self._kill_main()

    def sweep(self) -> None:
        """End all that the submission started, but not the cells' process and the holders."""
        self._command("sweep")

    def files(self, max_bytes: int) -> dict[str, bytes]:
        """Read what the submission wrote into its home.

        Parameters
        ----------
        max_bytes : int
            Of all files together; those beyond it are left out.

        Returns
        -------
        dict of str to bytes
            Regular files that are new or changed, by relative name. No links, no hidden files.
        """
        reply = self._control_ask(
            {"do": "files", "bytes": max_bytes}, "files", 2 * max_bytes + _MAX_MESSAGE_SLACK
        )
        found: dict[str, bytes] = {}
        for name, text in reply.items() if type(reply) is dict else ():
            with contextlib.suppress(ValueError):
                content = binascii.a2b_base64(text, strict_mode=True)
                check_files({name: content}, self._limits)
                found[name] = content
        return found

    def close(self) -> None:
        """End everything in the ward, and wait until it is gone."""
        if self._closed:
            return
        self._closed = True
        self.alive = False
        self._control.close()
        self._cells.close()
        self._host._end(*self._place)

    def _run(self, source: str, seconds: float, room: int, number: int | None) -> CellRun:
        limits = self._limits
        cap = min(limits.cell_output_kib * _KIB, room)
        started = time.monotonic()
        request = {"do": "run", "source": source, "bytes": cap, "number": number}
        most = _JSON_GROWTH * cap + _MAX_MESSAGE_SLACK
        late = False
        try:
            try:
                reply = self._ask(request, (), seconds, most)
            except frames.TimedOut:
                late = True
                reply = self._interrupted(most)
            outputs, count = _parse(reply, cap)
        except frames.TimedOut:
            self._kill_main()
            late = True
            outputs, count = (), None
        except frames.FrameError as error:
            return self._lost(error, time.monotonic() - started)
        used = time.monotonic() - started
        self._bytes += sum(_weight(output) for output in outputs)
        if late:
            # What it started would go on, and use up what the cells below may use.
            self.sweep()
            words = limits.diagnosis("cell_seconds", seconds)
            return _ended("timeout", words, used, outputs, count)
        errors = [output for output in outputs if output["output_type"] == "error"]
        limit = next((name for error in errors if (name := _limit_of(error))), "")
        if limit == "processes":
            self.sweep()
        if limit:
            return CellRun(outputs, "limit", limits.diagnosis(limit), used, count)
        return CellRun(outputs, "error" if errors else "ok", "", used, count)

    def _lost(self, error: frames.FrameError, seconds: float) -> CellRun:
        """Say why a cell's process answers no more."""
        if not self._end:
            self._kill_main()
        self.alive = False
        limits = self._limits
        code = self._end.get("code")
        if self._end.get("memory") is True:
            return _ended("limit", limits.diagnosis("memory_mib"), seconds)
        if code == -signal.SIGXCPU:
            return _ended("limit", limits.diagnosis("cpu_seconds"), seconds)
        if isinstance(error, frames.TooBig):
            return _ended("limit", limits.diagnosis("cell_output_kib"), seconds)
        return _ended("died", _why(code), seconds)

    def _ask(
        self, request: dict[str, Any], fds: Sequence[int], seconds: float, most: int
    ) -> dict[str, Any]:
        """Send a request to the cells' process and return its answer."""
        if not self.alive:
            raise frames.Closed("the notebook's process has ended")
        self._request += 1
        request = {**request, "id": self._request}
        frames.send(self._cells, request, fds, seconds=_ANSWER_SECONDS)
        return self._reply(seconds, most)

    def _reply(self, seconds: float, most: int) -> dict[str, Any]:
        end = time.monotonic() + seconds
        poll = select.poll()
        poll.register(self._cells, select.POLLIN)
        poll.register(self._control, select.POLLIN)
        while True:
            left = end - time.monotonic()
            # Half a message must not be mistaken for a late one: receive only what has begun.
            ready = dict(poll.poll(max(0.0, left) * 1000)) if left > 0 else {}
            if self._cells.fileno() in ready:
                try:
                    message, _ = frames.receive(
                        self._cells, _GRACE_SECONDS, most, max_items=_MAX_ITEMS_PER_CELL
                    )
                except frames.Closed:
                    self._await_end()
                    raise
                except frames.TimedOut:
                    raise frames.Malformed("half a message") from None
                if message.get("id") == self._request:
                    return message
            elif self._control.fileno() in ready:
                self._await_end()
                raise frames.Closed("the notebook's process has ended")
            else:
                raise frames.TimedOut("no answer in time")

    def _interrupted(self, most: int) -> dict[str, Any]:
        """Interrupt the cell, and return what it has put out."""
        for _ in range(_INTERRUPTS):
            frames.send(self._control, {"do": "interrupt"}, seconds=_ANSWER_SECONDS)
            with contextlib.suppress(frames.TimedOut):
                return self._reply(_GRACE_SECONDS / _INTERRUPTS, most)
        raise frames.TimedOut("the cell ignores interrupts")

    def _await_end(self) -> None:
        """Learn from init how the cells' process ended."""
        with contextlib.suppress(frames.FrameError):
            message, _ = frames.receive(self._control, _GRACE_SECONDS, 4096)
            if message.get("event") == "ended":
                self._end = message
                self.alive = False

    def _kill_main(self) -> None:
        self.alive = False
        self._command("finish")

    def _command(self, what: str) -> None:
        """Have init do something, and wait until it is done."""
        self._control_ask({"do": what, "keep": self._holders}, "done", 4096)

    def _control_ask(self, request: dict[str, Any], answer: str, most: int) -> Any:
        """Ask init, and return one item of its answer; None where the ward has ended."""
        if self._closed:
            raise WardError("this ward is closed")
        try:
            frames.send(self._control, request, seconds=_ANSWER_SECONDS)
            while True:
                message, _ = frames.receive(self._control, _ANSWER_SECONDS, most)
                if message.get("event") == "ended":
                    self._end = message
                    self.alive = False
                elif answer in message:
                    return message[answer]
        except frames.FrameError:
            # Without its init there is no ward.
            self.close()
            return None


def _limit_of(error: Mapping[str, Any]) -> str:
    """Name the limit that an exception comes from; an empty text for none."""
    name, text = error["ename"], error["evalue"]
    if name == "MemoryError" or name.endswith("ArrayMemoryError"):
        return "memory_mib"
    if name == "OSError" and text.startswith(("[Errno 28]", "[Errno 27]", "[Errno 122]")):
        return "disk_mib"
    if name == "OSError" and text.startswith("[Errno 24]"):
        return "open_files"
    if (name == "BlockingIOError" and text.startswith("[Errno 11]")) or (
        name == "RuntimeError" and text == "can't start new thread"
    ):
        return "processes"
    return ""


def _why(code: object) -> str:
    """Tell a learner how a process ended."""
    if type(code) is int and code >= 0:
        return (
            "This cell ended the notebook's process, as os._exit does. Remove the call that ends "
            "it."
        )
    if code in (-signal.SIGSEGV, -signal.SIGBUS, -signal.SIGABRT, -signal.SIGILL, -signal.SIGFPE):
        return (
            "Python crashed in this cell. This happens in functions that call themselves without "
            "end, and in compiled libraries that are given what they do not expect."
        )
    if code == -signal.SIGSYS:
        return "This cell asked the system for something that is not allowed while grading."
    if type(code) is int:
        return (
            f"This cell's process was killed by signal {-code}. Remove the call that sends "
            "signals, or use less memory."
        )
    return "This cell broke the connection to the notebook's process. Leave open files alone."


def _ended(
    status: Status,
    diagnosis: str,
    seconds: float,
    outputs: tuple[dict[str, Any], ...] = (),
    count: int | None = None,
) -> CellRun:
    """Say how a cell was ended, as an error below its outputs, too."""
    # nbgrader and its reports know these names.
    name = {"timeout": "CellTimeoutError", "died": "DeadKernelError"}.get(status, "LimitError")
    kept = tuple(
        output
        for output in outputs
        if output.get("ename") not in ("CellTimeoutError", "DeadKernelError", "LimitError")
    )
    error = {
        "output_type": "error",
        "ename": name,
        "evalue": diagnosis,
        "traceback": [f"\x1b[0;31m{name}\x1b[0m: {diagnosis}"],
    }
    return CellRun((*kept, error), status, diagnosis, seconds, count)


def _weight(output: Mapping[str, Any]) -> int:
    return sum(len(repr(value)) for value in output.values())


def _parse(reply: Mapping[str, Any], cap: int) -> tuple[tuple[dict[str, Any], ...], int | None]:
    """Read the answer to a run strictly.

    Raises
    ------
    frames.Malformed
        Where it is not what our shell sends.
    """
    count = reply.get("count")
    outputs = reply.get("outputs")
    if type(outputs) is not list or len(outputs) > _MAX_OUTPUTS:
        raise frames.Malformed("no list of outputs")
    number = count if type(count) is int and 0 <= count < 10**6 else None
    return tuple(_output(item) for item in outputs), number


def _output(item: object) -> dict[str, Any]:
    if type(item) is not dict:
        raise frames.Malformed("an output that is none")
    kind = item.get("output_type")
    if kind == "stream":
        name = item.get("name")
        if name not in ("stdout", "stderr"):
            raise frames.Malformed("an unknown stream")
        return {"output_type": "stream", "name": name, "text": _words(item.get("text"))}
    if kind == "error":
        lines = item.get("traceback")
        if type(lines) is not list:
            raise frames.Malformed("an error without traceback")
        return {
            "output_type": "error",
            "ename": _words(item.get("ename")),
            "evalue": _words(item.get("evalue")),
            "traceback": [_words(line) for line in lines],
        }
    if kind not in ("display_data", "execute_result"):
        raise frames.Malformed("an unknown output")
    data, metadata = item.get("data"), item.get("metadata")
    if type(data) is not dict or type(metadata) is not dict:
        raise frames.Malformed("a display without data")
    output: dict[str, Any] = {
        "output_type": kind,
        "data": {_words(mime): _content(mime, content) for mime, content in data.items()},
        "metadata": _clean(metadata),
    }
    if kind == "execute_result":
        number = item.get("execution_count")
        output["execution_count"] = number if type(number) is int else None
    return output


def _content(mime: str, content: object) -> Any:
    """Keep JSON where the type says JSON, and text elsewhere, as nbformat wants it."""
    if mime == "application/json" or mime.endswith("+json"):
        return _clean(content)
    return _words(content)


def _clean(value: Any, depth: int = _MAX_DEPTH) -> Any:
    """Replace what a notebook's file cannot say, such as infinity or half a surrogate pair."""
    if type(value) is str:
        return _words(value)
    if type(value) is float:
        return value if math.isfinite(value) else None
    if type(value) is int:
        return value if value.bit_length() <= _MAX_BITS else None
    if type(value) not in (list, dict):
        return value
    if depth == 0:
        # Whatever reads or writes the notebook later goes down by recursion.
        raise frames.Malformed("an output that is nested too deeply")
    if type(value) is list:
        return [_clean(item, depth - 1) for item in value]
    return {_words(key): _clean(item, depth - 1) for key, item in value.items()}


def _words(value: object) -> str:
    if type(value) is not str:
        raise frames.Malformed("an output that should be text")
    return value.encode("utf-8", "replace").decode("utf-8")
