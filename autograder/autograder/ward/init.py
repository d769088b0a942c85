"""The first process of a ward: it starts the cells' process, watches over the ward, and ends it.

Nothing in the ward can signal or read it. It runs no code of a learner's. When it ends, the kernel
ends every process of the ward.
"""

# Read often, and from a learner's own folders: no pathlib this deep.
# ruff: noqa: PTH123, PTH208

import binascii
import contextlib
import os
import select
import signal
import socket
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from .frames import FrameError, receive, send

_PAGE = os.sysconf("SC_PAGE_SIZE")
# How often the memory is looked at. Where /proc shows the whole machine, a look takes longer.
_WATCH_SECONDS = 0.05
_WATCH_SECONDS_OUTSIDE = 0.2
# Ends of one sweep: a process that forks faster than it is killed meets the process limit.
_ROUNDS = 50
# A single process meets the limit of its own first, which is an exception and not the end.
_MEMORY_SLACK = 32 * 2**20
_MAX_FILES = 1000


@dataclass
class Ward:
    """What init knows of its ward.

    Attributes
    ----------
    sock : socket.socket
        To the grader.
    memory_bytes : int
        What all processes may use together.
    main : int
        The process that runs the cells; 0 when there is none.
    main_fd : int
        What tells when it ends.
    over_memory : bool
        Whether it was killed for its memory.
    files : dict of str to str
        The submission's files as they were given, Base64 by name.
    """

    sock: socket.socket
    memory_bytes: int
    files: dict[str, str]
    main: int = 0
    main_fd: int = -1
    over_memory: bool = False


def watch(sock: socket.socket, start_main: Callable[[], int], max_start_bytes: int) -> NoReturn:
    """Be a ward's init; never return.

    Parameters
    ----------
    sock : socket.socket
        To the grader.
    start_main : callable
        Forks the process that runs the cells and returns its id; in the fork, never returns.
    max_start_bytes : int
        The longest first message, which holds the submission's files.
    """
    status = 1
    try:
        message, _ = receive(sock, 60, max_start_bytes)
        try:
            _furnish(message["files"])
        except OSError as error:
            send(sock, {"no_room": str(error.strerror)})
            os._exit(status)
        os.environ.update(message["environment"])
        ward = Ward(sock, int(message["memory_bytes"]), message["files"])
        ward.main = start_main()
        ward.main_fd = os.pidfd_open(ward.main)
        # The limit is for what the cells add to the warm interpreter.
        ward.memory_bytes += _resident(ward.main) + _MEMORY_SLACK
        send(sock, {"ready": True})
        _watch(ward)
        status = 0
    except FrameError:
        status = 0  # the grader has gone
    finally:
        os._exit(status)


def _furnish(files: dict[str, str]) -> None:
    """Write the submission's files into the home, which is the working directory."""
    for name, content in files.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(binascii.a2b_base64(content))


def _watch(ward: Ward) -> None:
    poll = select.poll()
    poll.register(ward.sock, select.POLLIN)
    poll.register(ward.main_fd, select.POLLIN)
    looked = time.monotonic()
    pause = _WATCH_SECONDS if os.getpid() == 1 else _WATCH_SECONDS_OUTSIDE
    while True:
        events = dict(poll.poll(pause * 1000))
        if ward.main_fd in events:
            poll.unregister(ward.main_fd)
            _tell_end(ward)
        if ward.sock.fileno() in events:
            message, _ = receive(ward.sock, 5, 65536)
            if message.get("do") == "interrupt":
                _interrupt(ward)
            elif message.get("do") == "files":
                send(ward.sock, {"files": _written(ward, int(message["bytes"]))})
            else:
                _sweep(ward, message, poll)
        _reap(ward)
        if time.monotonic() - looked >= pause:
            _limit_memory(ward)
            looked = time.monotonic()


def _tell_end(ward: Ward) -> None:
    """Tell the grader how the cells' process ended."""
    _, status = os.waitpid(ward.main, 0)
    os.close(ward.main_fd)
    ward.main, ward.main_fd = 0, -1
    code = os.waitstatus_to_exitcode(status)
    send(ward.sock, {"event": "ended", "code": code, "memory": ward.over_memory})


def _interrupt(ward: Ward) -> None:
    if not ward.main:
        return
    with contextlib.suppress(OSError):
        if os.getpgid(ward.main) == ward.main:
            os.killpg(ward.main, signal.SIGINT)  # and the commands that the cell runs
        else:
            os.kill(ward.main, signal.SIGINT)


def _sweep(ward: Ward, message: dict[str, Any], poll: select.poll) -> None:
    """Kill every process but those to keep, and tell when they are gone."""
    keep = {pid for pid in message.get("keep", ()) if type(pid) is int}
    if message.get("do") == "sweep" and ward.main:
        keep.add(ward.main)
    elif ward.main:
        # The grader asked for its end, and needs no word of it.
        poll.unregister(ward.main_fd)
        with contextlib.suppress(OSError):
            os.kill(ward.main, signal.SIGKILL)
        os.waitpid(ward.main, 0)
        os.close(ward.main_fd)
        ward.main, ward.main_fd = 0, -1
    for round_ in range(_ROUNDS):
        others = [pid for pid in _processes() if pid not in keep]
        if not others:
            break
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in others:
                with contextlib.suppress(OSError):
                    os.kill(pid, number)
        _reap(ward)
        if round_:
            time.sleep(0.001)
    send(ward.sock, {"done": True})


def _written(ward: Ward, max_bytes: int) -> dict[str, str]:
    """Read the regular files of the home that are new or changed, Base64 by name."""
    found: dict[str, str] = {}
    for folder, folders, names in os.walk("."):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = os.path.normpath(os.path.join(folder, name))  # noqa: PTH118
            content = None if name.startswith(".") else _read_regular(path, max_bytes)
            if content is None or len(found) >= _MAX_FILES:
                continue
            text = binascii.b2a_base64(content, newline=False).decode("ascii")
            if ward.files.get(path) != text:
                found[path] = text
                max_bytes -= len(content)
    return found


def _read_regular(path: str, max_bytes: int) -> bytes | None:
    """Read a file that is one, and no link, pipe or device, if it is not too large."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    with open(fd, "rb") as file:
        about = os.fstat(fd)
        if not stat.S_ISREG(about.st_mode) or about.st_size > max_bytes:
            return None
        try:
            return file.read(max_bytes)
        except OSError:
            return None


def _processes() -> list[int]:
    """List the living processes of the ward, without init: all of them descend from it."""
    parents: dict[int, int] = {}
    dead: set[int] = set()
    for name in os.listdir("/proc"):
        if not name.isdecimal():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as status:
                state, parent = status.read().rpartition(b")")[2].split()[:2]
        except (OSError, ValueError):
            continue
        parents[int(name)] = int(parent)
        if state in b"ZX":
            dead.add(int(name))
    ours = {os.getpid()}
    more = True
    while more:
        children = {pid for pid, parent in parents.items() if parent in ours} - ours
        ours |= children
        more = bool(children)
    return sorted(ours - dead - {os.getpid()})


def _reap(ward: Ward) -> None:
    """Let go of orphans that have ended. The cells' process is waited for elsewhere."""
    while True:
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if found is None or found.si_pid == ward.main:
            return
        os.waitpid(found.si_pid, os.WNOHANG)


def _limit_memory(ward: Ward) -> None:
    """Kill the largest processes until the ward keeps its limit."""
    resident = {pid: _resident(pid) for pid in _processes()}
    # Pages that several processes share count several times here, so this is at least the truth.
    if sum(resident.values()) <= ward.memory_bytes:
        return
    sizes = {pid: _proportional(pid, resident[pid]) for pid in resident}
    total = sum(sizes.values())
    for pid in sorted(sizes, key=lambda pid: -sizes[pid]):
        if total <= ward.memory_bytes:
            return
        ward.over_memory = ward.over_memory or pid == ward.main
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
        total -= sizes[pid]


def _resident(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as statm:
            return int(statm.read().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def _proportional(pid: int, resident: int) -> int:
    """Return a process's memory, with its share of what it has in common with others."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as rollup:
            for line in rollup:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return resident
