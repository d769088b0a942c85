"""The examiner's process: a warm interpreter that forks once for each submission.

``python -m autograder.sealed.examining FD`` reads requests from the socket FD. Only trusted code
runs here: instructor cells, check cells, and the exams that they import.
"""

import contextlib
import gc
import importlib
import linecache
import os
import re
import resource
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any, NoReturn

from autograder.sealed.conversation import Conversation, connect, write_ahead
from autograder.sealed.definitions import Definitions
from autograder.sealed.namespace import Namespace
from autograder.sealed.points import points_as_numbers
from autograder.sealed.proxies import Handle, RemoteErrorType, RemoteFunction, builtin_of
from autograder.sealed.statements import counts_points, names_in, programs_of, shows_an_answer
from autograder.ward.frames import FrameError, receive, send
from autograder.ward.shell import Shell

MAX_REQUEST = 64 * 2**20
# Before the caller's time is up, so that the cell itself can say what took so long.
_EARLIER_SECONDS = 0.5
# What a check may use, beyond what is warm.
_MEMORY_BYTES = 2 * 2**30
_WORD = re.compile(r"[^\W\d]\w*")
_CELL_FILE = "/tmp/ipykernel_2/{}.py"


def main() -> None:
    """Serve as the template."""
    sock = socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(sock.fileno(), False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _Template(sock).serve()


class _Template:
    """Forks examiners from one warm interpreter."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        # Each with its empty folder, where it has one.
        self._children: dict[int, str | None] = {}
        # Templates that serve others; each ends when its own grader does.
        self._shared: set[int] = set()
        self._namespace = Namespace()
        self._shell = Shell(self._namespace)
        # What IPython loads when it first shows a result or an error, it loads once for all.
        self._shell.run("1")
        with _failing_function() as function:
            self._namespace["function"] = function
            self._shell.run("function()")
        # Forks shall not share an event loop.
        self._shell.close()
        ip: Any = self._shell.ip
        ip.reset(new_session=True)
        ip.execution_count = 1

    def serve(self) -> None:
        try:
            while True:
                request, fds = receive(self._sock, None, MAX_REQUEST, max_fds=1)
                self._reap()
                try:
                    reply = self._answer(request, fds)
                except Exception as error:
                    reply = {"error": f"{type(error).__name__}: {error}"}
                finally:
                    for fd in fds:
                        os.close(fd)
                send(self._sock, reply)
        except FrameError:
            pass  # the grader is gone
        finally:
            for pid in list(self._children):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                self._forget(pid)

    def _answer(self, request: dict[str, Any], fds: list[int]) -> dict[str, Any]:
        match request["do"]:
            case "prepare":
                return {"failed": prepare(request["modules"], request["warm"])}
            case "share":
                self._share(fds[0])
            case "open":
                return {"pid": self._open(request, fds[0])}
            case "interrupt" if request["pid"] in self._children:
                os.kill(request["pid"], signal.SIGINT)
            case "kill" if request["pid"] in self._children:
                os.kill(request["pid"], signal.SIGKILL)
                os.waitpid(request["pid"], 0)
                self._forget(request["pid"])
        return {}

    def _reap(self) -> None:
        for pid in list(self._children):
            if os.waitpid(pid, os.WNOHANG)[0]:
                self._forget(pid)
        for pid in list(self._shared):
            if os.waitpid(pid, os.WNOHANG)[0]:
                self._shared.discard(pid)

    def _forget(self, pid: int) -> None:
        folder = self._children.pop(pid)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def _share(self, fd: int) -> None:
        """Fork another template, which serves another grader."""
        gc.freeze()
        pid = os.fork()
        if pid:
            self._shared.add(pid)
            return
        status = 1
        try:
            self._sock.close()
            self._sock = socket.socket(fileno=os.dup(fd))
            os.close(fd)
            self._children, self._shared = {}, set()
            self.serve()
            status = 0
        finally:
            os._exit(status)

    def _open(self, request: dict[str, Any], fd: int) -> int:
        gc.freeze()
        empty = tempfile.mkdtemp(prefix="autograder-check-") if request["folder"] is None else None
        pid = os.fork()
        if not pid:
            self._be_examiner(request, fd, empty)
        self._children[pid] = empty
        return pid

    def _be_examiner(self, request: dict[str, Any], fd: int, empty: str | None) -> NoReturn:
        status = 1
        try:
            self._sock.close()
            os.environ.update(request["environment"])
            self._namespace.asked = frozenset(request["asked"])
            _limit_memory()
            os.chdir(empty or request["folder"])
            if empty is None:
                sys.path.insert(0, request["folder"])
            sock = socket.socket(fileno=os.dup(fd))
            lines = None if request["lines"] is None else dict(request["lines"])
            told = request["definitions"]
            definitions = None if told is None else Definitions.of_tree(told)
            if definitions is not None:
                self._namespace.solved = definitions.solved
                self._namespace.rebound = definitions.rebound
            Examining(sock, self._shell, self._namespace, definitions, lines).serve()
        except FrameError:
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)


def _limit_memory() -> None:
    """Bound what an answer can grow to, such as a range of a billion numbers that a check sorts."""
    with open("/proc/self/statm", "rb") as sizes:  # noqa: PTH123 - this runs for every submission
        mapped = int(sizes.read().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = mapped + _MEMORY_BYTES
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


@contextlib.contextmanager
def _failing_function() -> Iterator[RemoteFunction]:
    """Give a function of a ward that is none, which raises an error when it is called once."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        raised = {"kind": "ValueError", "args": ["nothing"], "frames": [[1, 1, "function"]]}
        send(theirs, {"id": 1, "raised": raised})
        talk = Conversation(lambda number, line: _CELL_FILE.format(number))
        talk.start(lambda: ours)
        yield RemoteFunction(Handle(talk, 0, 1))


def prepare(modules: list[str], warm: bool = False) -> list[str]:
    """Import modules before submissions need them.

    Parameters
    ----------
    modules : list of str
        Full names.
    warm : bool
        Also have the modules' own objects that offer it prepare themselves, as an `Exam` does.

    Returns
    -------
    list of str
        Those that could not be imported.
    """
    failed: list[str] = []
    for name in modules:
        try:
            module = importlib.import_module(name)
            if warm:
                for thing in list(vars(module).values()):
                    offered = getattr(type(thing), "prepare", None)
                    if callable(offered) and type(thing).__module__.startswith("autograder."):
                        thing.prepare()
                        cases = getattr(thing, "cases", ())
                        write_ahead((case.args, case.kwargs) for case in cases)
        except Exception:
            failed.append(name)
    return failed


class Examining:
    """Runs the cells of one notebook.

    Parameters
    ----------
    sock : socket.socket
        To the grader.
    shell : Shell
        Not installed yet.
    namespace : Namespace
        The shell's.
    definitions : Definitions, optional
        What the instructor's notebook defines, where it is known.
    lines : mapping of int to int, optional
        How many lines the submission's cells have, by their numbers.
    """

    def __init__(
        self,
        sock: socket.socket,
        shell: Shell,
        namespace: Namespace,
        definitions: Definitions | None = None,
        lines: Mapping[int, int] | None = None,
    ) -> None:
        self._sock = sock
        self._definitions = definitions
        self._shell = shell
        self._namespace = namespace
        self._files = shell.ip.compile._filename_map
        # Names that instructor cells use: their functions may expect an exception by its class.
        self._words: set[str] = set()
        self._talk = Conversation(self._cell_file, namespace.own_name, namespace.own_class)
        self._talk.lines = lines
        self._holder: socket.socket | None = None
        shell.install()

    def serve(self) -> NoReturn:
        """Run cells until the grader closes the socket."""
        while True:
            request, fds = receive(self._sock, None, MAX_REQUEST, max_fds=1)
            try:
                send(self._sock, self._run(request, fds))
            finally:
                for fd in fds:
                    with contextlib.suppress(OSError):
                        os.close(fd)

    def _run(self, request: dict[str, Any], fds: list[int]) -> dict[str, Any]:
        if request["number"] is not None:
            self._shell.ip.execution_count = request["number"]
        signal.signal(signal.SIGINT, _interrupt)
        self._namespace.answered(request["answered"])
        try:
            if request["check"]:
                outputs = self._check(request, fds)
            else:
                outputs = self._instructor(request["source"])
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        return {"outputs": outputs, "count": self._shell.execution_count}

    def _instructor(self, source: str) -> list[dict[str, Any]]:
        self._words |= set(_WORD.findall(source))
        # Nobody reads what they put out here, and to render an error takes longer than most cells.
        with self._namespace.instructor_cell(self._files), _errors_unrendered(self._shell.ip):
            outputs = self._shell.run(source)
            if any(output["output_type"] == "error" for output in outputs):
                # It may need what only the ward has. Its definitions count nevertheless.
                for part in programs_of(source):
                    with contextlib.suppress(Exception):
                        self._shell.run(part)
                self._namespace.give_up(names_in(source))
        return outputs

    def _check(self, request: dict[str, Any], fds: list[int]) -> list[dict[str, Any]]:
        if fds:
            self._ask(fds[0])
        else:
            self._talk.close()
        deadline = time.monotonic() + max(request["seconds"] - _EARLIER_SECONDS, 0.1)
        if self._definitions is not None:
            asked = self._definitions.asked_by(request["source"])
            self._talk.check(asked.named | self._namespace.asked, deadline, asked)
        else:
            words = set(_WORD.findall(request["source"]))
            self._talk.check(self._words | self._namespace.asked | words, deadline)
        self._talk.own_stdout = sys.stdout
        source = request["source"]
        shown: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
        if not shows_an_answer(source, self._namespace.asked):
            shown = points_as_numbers(self._shell.ip, counts=counts_points(source))
        with self._namespace.check_cell(self._talk), shown:
            outputs = self._shell.run(source)
        for output in outputs:
            raised = getattr(sys, "last_value", None)
            if output["output_type"] == "error" and isinstance(type(raised), RemoteErrorType):
                # Whether it arrived as the learner's own kind tells which names the check uses.
                output["ename"] = builtin_of(type(raised)).__name__
        return outputs

    def _ask(self, fd: int) -> None:
        """Ask this holder from now on; checks that follow each other share one fork of it."""
        same = os.fstat(fd).st_ino
        if self._holder is not None:
            if os.fstat(self._holder.fileno()).st_ino == same:
                return
            self._talk.close()
            self._holder.close()
        holder = self._holder = socket.socket(fileno=os.dup(fd))
        self._talk.start(lambda: connect(holder))

    def _cell_file(self, number: int, line: int) -> str:
        """Name a learner's cell as IPython names cells in tracebacks; its text is not here."""
        file = _CELL_FILE.format(number)
        self._files[file] = number
        lines = max(line, len(linecache.getlines(file)))
        linecache.cache[file] = (lines, None, ["\n"] * lines, file)
        return file


@contextlib.contextmanager
def _errors_unrendered(ip: Any) -> Iterator[None]:
    """Note that a cell raised an error, without its traceback."""

    def note(exc_tuple: Any = None, *args: Any, **kwargs: Any) -> None:
        kind, error = (exc_tuple or sys.exc_info())[:2]
        ip._showtraceback(kind, error, [])

    vars(ip)["showtraceback"] = note
    try:
        yield
    finally:
        del vars(ip)["showtraceback"]


def _interrupt(signum: int, frame: FrameType | None) -> NoReturn:
    __tracebackhide__ = True
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
