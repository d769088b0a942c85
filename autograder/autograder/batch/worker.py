"""A worker process of the local pool."""

import contextlib
import ctypes
import os
import signal
import socket
from multiprocessing.connection import Connection
from typing import Any, Literal, NamedTuple

from autograder.batch import work
from autograder.batch.records import Source
from autograder.jail import JailError
from autograder.sealed.errors import SealError
from autograder.sealed.hosts import use_warm

_PR_SET_PDEATHSIG = 1

Kind = Literal["graded", "refused", "failed"]


class Answer(NamedTuple):
    """What a worker sends.

    Attributes
    ----------
    kind : str
        ``"graded"``: `value` is the result. ``"refused"``: this machine cannot grade, and `value`
        says why. ``"failed"``: an error of ours, and `value` is its text.
    value : object
        See above.
    """

    kind: Kind
    value: Any


def serve(connection: Connection, source: Source, examiner: socket.socket | None = None) -> None:
    """Grade what comes until nothing comes any more.

    Parameters
    ----------
    connection : Connection
        Submissions come in, answers go out.
    source : Source
        The assignment.
    examiner : socket.socket, optional
        To an interpreter from which examiners are forked, for this worker alone.
    """
    # A key press that stops the command is for the command to handle, not for its workers.
    with contextlib.suppress(OSError):
        os.setsid()
    _die_with_parent()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if examiner is not None:
        use_warm(examiner)
    try:
        while True:
            submission = connection.recv()
            try:
                answer = Answer("graded", work.grade(source, submission))
            except (SealError, JailError) as error:
                answer = Answer("refused", str(error))
            except Exception as error:
                answer = Answer("failed", f"{type(error).__name__}: {error}")
            connection.send(answer)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _die_with_parent() -> None:
    """End with the fork server, which ends with the command."""
    if hasattr(signal, "SIGKILL"):
        with contextlib.suppress(AttributeError, OSError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
