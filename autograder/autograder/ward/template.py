"""The warm interpreter in the jail, of which every ward is a fork.

It has imported what notebooks usually import, holds no secret, and runs no code of a learner's.
"""

import contextlib
import gc
import importlib
import importlib.util
import linecache
import os
import select
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from jail.spec import RawLimits  # type: ignore[import-not-found]

from jail import inner  # type: ignore[import-not-found]

from . import init, main, serve
from .frames import FrameError, receive, send
from .shell import ENVIRONMENT, Shell, threads
from .standins import StandIns

_WARM = ("numpy", "pandas")
# What the first table or error of a notebook would have to load. No more: each MiB that the
# template holds makes each of some twenty forks per submission slower.
_WARM_CELLS = (
    "1 / 0",
    "def",
    "1 + 1",
    "%time 1",
    "import sys, numpy; numpy.random.default_rng(1); numpy.linalg.norm([1.0])",
    "import pandas; pandas.DataFrame({'a': [1.5, None], 'b': ['x', 'y']})",
)
_IMPORT_SECONDS = 60
# What a trial import ends with; not what a module that ends its process would take.
_IMPORTED = 93
_CLOSE_SECONDS = 10


@dataclass
class _Template:
    """What the template knows.

    Attributes
    ----------
    shell : Shell
        Warm, unused; every ward gets a copy.
    settings : mapping
        As the grader sent it.
    keepers : dict of int to int
        The process that waits for a ward's end, by the ward's number.
    """

    shell: Shell
    settings: Mapping[str, Any]
    keepers: dict[int, int]
    stand_ins: StandIns

    def limits(self, copies: int) -> Any:
        """Say what a ward may use of which so many copies are kept."""
        limits = RawLimits(**self.settings["limits"])
        # Each copy is a process, and so is its fork that has answered, until the copy ends.
        return replace(limits, processes=limits.processes + 2 * copies)


def begin(fd: int) -> NoReturn:
    """Be the template; never return.

    Parameters
    ----------
    fd : int
        The socket to the grader. Its first message holds the settings: ``limits``, ``stand_ins``,
        ``path`` (more folders to import from) and ``modules``.
    """
    sock = socket.socket(fileno=fd)
    status = 1
    try:
        settings, _ = receive(sock, 60)
        try:
            template = _warm_up(settings)
        except Exception as error:
            send(sock, {"error": f"{type(error).__name__}: {error}"[:2000]})
            raise
        send(sock, {"ready": True})
        while True:
            message, fds = receive(sock, max_fds=2)
            send(sock, _answer(template, sock, message, fds))
            for passed in fds:
                os.close(passed)
            _reap(template)
    except FrameError:
        status = 0  # the grader has gone
    finally:
        os._exit(status)


def _warm_up(settings: Mapping[str, Any]) -> _Template:
    os.environ.update(ENVIRONMENT)
    stand_ins = StandIns(settings["stand_ins"])
    stand_ins.install()
    sys.path.extend(settings["path"])
    for name in _WARM:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    os.environ["MPLBACKEND"] = (
        "module://matplotlib_inline.backend_inline" if _has("matplotlib_inline") else "agg"
    )
    warm = Shell()
    for cell in _WARM_CELLS:
        warm.run(cell)
    warm.close()
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        vars(sys).pop(name, None)
    linecache.clearcache()
    sys.modules.pop("__main__", None)
    shell = Shell(capture_descriptors=True)
    template = _Template(shell, settings, {}, stand_ins)
    _freeze()
    return template


def _has(module: str) -> bool:
    with contextlib.suppress(ImportError, ValueError):
        return importlib.util.find_spec(module) is not None
    return False


def _freeze() -> None:
    """Keep the garbage collector from touching, and so copying, the pages that forks share."""
    gc.collect()
    gc.freeze()


def _answer(
    template: _Template, sock: socket.socket, message: dict[str, Any], fds: Sequence[int]
) -> dict[str, Any]:
    if message["do"] == "prepare":
        return {"imported": [name for name in message["modules"] if _prepare(template, name)]}
    if message["do"] == "open":
        return _open(template, sock, message["number"], fds, int(message["copies"]))
    if message["do"] == "close":
        return {"gone": _close(template, message["number"])}
    return {"error": "an unknown request"}


def _prepare(template: _Template, name: str) -> bool:
    """Import a module, if that works, starts no thread and shares no memory."""
    if name in sys.modules:
        return True
    if template.stand_ins.stands_in(name):
        return False
    # Tried in a fork first: what it breaks, and the threads that it starts, end with the fork.
    child = os.fork()
    if not child:
        _try_import(name)
    if not _ended_well(child):
        return False
    with contextlib.suppress(Exception):
        importlib.import_module(name)
    _freeze()
    return name in sys.modules


def _try_import(name: str) -> NoReturn:
    status = 0
    try:
        importlib.import_module(name)
        status = _IMPORTED if threads() == 1 and not _shares_memory() else 0
    finally:
        os._exit(status)


def _shares_memory() -> bool:
    """Whether this process has memory that forks could write into for each other."""
    with open("/proc/self/maps", "rb") as maps:  # noqa: PTH123 - there is no other way
        return any(b" rw-s " in line for line in maps)


def _ended_well(child: int) -> bool:
    """Wait for a trial import; end it when it takes too long."""
    ended = os.pidfd_open(child)
    try:
        poll = select.poll()
        poll.register(ended, select.POLLIN)
        if not poll.poll(_IMPORT_SECONDS * 1000):
            os.kill(child, signal.SIGKILL)
    finally:
        os.close(ended)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == _IMPORTED


def _open(
    template: _Template, sock: socket.socket, number: int, fds: Sequence[int], copies: int
) -> dict[str, Any]:
    """Start a ward, with the sockets of its init and of its cells' process."""
    count = threads()
    if count != 1:
        return {"error": f"the warm interpreter has {count} threads, and must have one to fork"}
    if len(fds) != 2:
        return {"error": "a ward needs two sockets"}
    keeper = os.fork()
    if not keeper:
        _begin_ward(template, sock, fds, template.limits(copies))
    template.keepers[number] = keeper
    return {"opened": number}


def _begin_ward(
    template: _Template, sock: socket.socket, fds: Sequence[int], limits: Any
) -> NoReturn:
    status = 1
    try:
        sock.close()
        inner.enter_ward(limits, fds)
        inner.protect_init()
        control, cells = (socket.socket(fileno=fd) for fd in fds)

        def start_main() -> int:
            child = os.fork()
            if not child:
                _begin_main(template, control, cells, limits)
            cells.close()
            return child

        init.watch(control, start_main, int(template.settings["start_bytes"]))
    finally:
        os._exit(status)


def _begin_main(
    template: _Template, control: socket.socket, cells: socket.socket, limits: Any
) -> NoReturn:
    try:
        control.close()
        main.settle(template.shell)
        inner.confine(limits)
        main.serve_cells(cells, template.shell, serve.serve)
    finally:
        os._exit(1)


def _close(template: _Template, number: int) -> bool:
    """End a ward and wait until all its processes are gone."""
    keeper = template.keepers.pop(number, 0)
    if not keeper:
        return True
    with contextlib.suppress(ProcessLookupError):
        os.kill(keeper, signal.SIGTERM)
    try:
        ended = os.pidfd_open(keeper)
    except ProcessLookupError:
        return True
    poll = select.poll()
    poll.register(ended, select.POLLIN)
    gone = bool(poll.poll(_CLOSE_SECONDS * 1000))
    os.close(ended)
    if gone:
        os.waitpid(keeper, 0)
    return gone


def _reap(template: _Template) -> None:
    """Let go of what has ended: keepers, and the inits of keepers that were killed."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        for number, keeper in list(template.keepers.items()):
            if keeper == pid:
                del template.keepers[number]
