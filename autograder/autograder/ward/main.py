"""The process that runs a notebook's cells: the only one in which a learner's code starts."""

import contextlib
import os
import signal
import socket
import sys
from typing import Any, NoReturn

from .frames import FrameError, receive, send
from .holders import Serve, fork_quietly, hold
from .shell import Shell

# Before any cell runs: a cell may replace what `os` holds.
_exit, _getpid, _waitpid, _WNOHANG = os._exit, os.getpid, os.waitpid, os.WNOHANG

# A cell of a notebook, as text.
_MAX_REQUEST = 16 * 2**20


def settle(shell: Shell) -> None:
    """Make this process look like a fresh kernel. Called before it is confined.

    Parameters
    ----------
    shell : Shell
        The shell of its cells.
    """
    # As Python has them: a broken pipe and a full file are exceptions, not the end.
    for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_IGN)
    sys.argv[:] = [""]
    # Last: a file of the submission never replaces a module.
    sys.path.append("")
    # Forks of one template would all draw the same numbers.
    with contextlib.suppress(Exception):
        if "numpy.random" in sys.modules:
            sys.modules["numpy.random"].seed()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nowhere, fd)
    os.close(nowhere)
    shell.install()


def serve_cells(sock: socket.socket, shell: Shell, serve: Serve) -> NoReturn:
    """Run cells as they are asked for; never return.

    Parameters
    ----------
    sock : socket.socket
        To the grader. ``{"do": "run", "id", "source", "bytes", "number"}`` is answered by
        ``{"id", "outputs", "count"}``; ``{"do": "checkpoint", "id"}``, with a holder's socket, by
        ``{"id", "pid"}``, where 0 says that no further process may start.
    shell : Shell
        Settled in this process.
    serve : callable
        What a holder's forks do.
    """
    myself = _getpid()
    try:
        while True:
            message, fds = receive(sock, max_bytes=_MAX_REQUEST, max_fds=1)
            if message["do"] == "run":
                answer = _run(shell, message)
                if _getpid() != myself:
                    break  # a process that a cell forked, and that ran out of the cell
                send(sock, answer)
            elif message["do"] == "checkpoint":
                try:
                    pid = _fork_with_room()
                except OSError:
                    os.close(fds[0])
                    send(sock, {"id": message["id"], "pid": 0})
                    continue
                if not pid:
                    sock.close()
                    hold(socket.socket(fileno=fds[0]), shell, serve)
                os.close(fds[0])
                send(sock, {"id": message["id"], "pid": pid})
    except FrameError:
        pass
    finally:
        _exit(0)


def _fork_with_room() -> int:
    """Fork, after letting go of children that have ended where there is no room for one more."""
    try:
        return fork_quietly()
    except OSError:
        with contextlib.suppress(ChildProcessError):
            while _waitpid(-1, _WNOHANG)[0]:
                pass
        return fork_quietly()


def _run(shell: Shell, message: dict[str, Any]) -> dict[str, Any]:
    # The grader's interrupt may come late, when there is no cell to end.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        outputs = shell.run(message["source"], message["bytes"], message["number"])
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return {"id": message["id"], "outputs": outputs, "count": shell.execution_count}
