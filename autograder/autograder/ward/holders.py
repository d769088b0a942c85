"""Holders: copies of a running notebook, kept for the checks at one place of it.

A holder is a fork of the process that runs the cells. It runs nothing itself. For each check cell
it forks once more, and that fork answers; the next check cell gets a new one.
"""

import contextlib
import gc
import os
import signal
import socket
import sys
import warnings
from collections.abc import Callable
from typing import NoReturn, Protocol

from .frames import FrameError, receive
from .shell import Shell

# Before any cell runs: a cell may replace what `os` holds.
_fork, _exit, _kill, _waitpid, _freeze = os.fork, os._exit, os.kill, os.waitpid, gc.freeze


class Serve(Protocol):
    """Answers what the checks ask, on a socket, until the other end closes it."""

    def __call__(self, sock: socket.socket, shell: Shell) -> object:
        """Answer."""


def fork_quietly() -> int:
    """Fork, without Python's warning about a cell's threads.

    Returns
    -------
    int
        As `os.fork`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _fork()


def hold(sock: socket.socket, shell: Shell, serve: Serve) -> NoReturn:
    """Be a holder; never return.

    Parameters
    ----------
    sock : socket.socket
        Where forks are asked for: ``{"do": "fork"}``, with the socket that the fork shall serve.
    shell : Shell
        The notebook's shell.
    serve : callable
        What a fork does.
    """
    be_quiet()
    # What the forks share, no collection of theirs shall touch.
    _freeze()
    child = 0
    try:
        while True:
            message, fds = receive(sock, max_bytes=4096, max_fds=1)
            if child:
                # One check at a time; what the former left behind must not use up time.
                with contextlib.suppress(OSError):
                    _kill(child, signal.SIGKILL)
                    _waitpid(child, 0)
            child = 0
            if message.get("do") != "fork" or not fds:
                continue
            child = fork_quietly()
            if not child:
                sock.close()
                _answer(fds[0], shell, serve)
            os.close(fds[0])
    except FrameError:
        pass
    finally:
        _exit(0)


def _answer(fd: int, shell: Shell, serve: Serve) -> NoReturn:
    try:
        serve(socket.socket(fileno=fd), shell)
    finally:
        _exit(0)


def be_quiet(close: Callable[[int], None] = os.close) -> None:
    """Send all that this process prints to nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nowhere, fd)
    close(nowhere)
    sys.stdout = sys.stderr = open(1, "w", closefd=False, encoding="utf-8")  # noqa: SIM115
