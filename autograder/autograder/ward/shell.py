"""Run notebook cells with IPython, without a kernel, and return what they put out.

One `Shell` per process is meant: IPython's shell is a singleton, and so are ``sys.stdout`` and
the builtins. No thread is started, no history is kept on disk, and nothing is sent anywhere.
"""

import ast
import asyncio
import builtins
import contextlib
import fcntl
import getpass
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import warnings
import zlib
from collections.abc import Coroutine, Iterator, Mapping, MutableMapping
from typing import Any, NoReturn

from IPython.core import page
from IPython.core.autocall import ExitAutocall
from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import StdinNotImplementedError
from IPython.core.inputtransformer2 import TransformerManager
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.profiledir import ProfileDir
from traitlets import Type
from traitlets.config import Config

from .outputs import Output, Recorder

DEFAULT_BYTES = 256 * 1024

# The kernel names cells like this, and tracebacks and warnings show the name.
_CELL_FILE = "/tmp/ipykernel_1/{}.py"

_ASYNC = re.compile(r"\b(?:async|await)\b")

# Of each end of a recursion without end.
_SHOWN_FRAMES = 15

# What the kernel sets for the commands that a notebook runs.
ENVIRONMENT: Mapping[str, str] = {
    "TERM": "xterm-color",
    "CLICOLOR": "1",
    "FORCE_COLOR": "1",
    "CLICOLOR_FORCE": "1",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    "PLOTLY_RENDERER": "plotly_mimetype",
}


class _Transformer(TransformerManager):
    """Turns magics into Python, and knows at a glance what is Python already."""

    def __init__(self) -> None:
        start: Any = super().__init__
        start()
        self._usual = list(self.token_transformers)

    def do_token_transforms(self, lines: list[str]) -> list[str]:
        """Apply what looks at tokens, which takes longer than most cells run."""
        if self.token_transformers == self._usual:
            with contextlib.suppress(Exception), warnings.catch_warnings():
                # No line of Python starts with a magic's sign.
                warnings.simplefilter("ignore")
                ast.parse("".join(lines))
                return lines
        slow: Any = super().do_token_transforms
        changed: list[str] = slow(lines)
        return changed


class _Compiler(CachingCompiler):
    """Names cells like the kernel, but two cells with the same text differently."""

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        text = f"{number}\n{raw_code}".encode("utf-8", "surrogatepass")
        return _CELL_FILE.format(zlib.crc32(text))


class _Captured:
    """What a process writes to one of its own descriptors, such as a C library or a command."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._file = -1
        self._read = 0

    def open(self) -> None:
        """Send the descriptor to a file of our own."""
        try:
            file = os.memfd_create(f"fd{self._fd}")
        except OSError:
            with tempfile.TemporaryFile() as unnamed:
                file = os.dup(unnamed.fileno())
        # Out of the way of code that expects the lowest numbers.
        self._file = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, 100)
        os.close(file)
        # Commands that the cell starts write to the same file, each at its end.
        fcntl.fcntl(self._file, fcntl.F_SETFL, os.O_APPEND)
        os.dup2(self._file, self._fd)
        self._read = 0

    def close(self) -> None:
        """Let go of the file; the descriptor stays what it is."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def drain(self, limit: int) -> bytes:
        """Return what is new.

        Parameters
        ----------
        limit : int
            No more bytes than this.

        Returns
        -------
        bytes
        """
        try:
            end = os.lseek(self._file, 0, os.SEEK_END)
            if end == self._read:
                return b""
            text = os.pread(self._file, min(end - self._read, limit), self._read)
            self._read = end
            if end > 2**20:
                os.ftruncate(self._file, 0)
                self._read = 0
        except OSError:  # a cell may close any descriptor
            return b""
        return text

    def write(self, text: str) -> None:
        """Write to the file itself, as a forked process must.

        Parameters
        ----------
        text : str
            What to add.
        """
        with contextlib.suppress(OSError):
            os.write(self._file, text.encode("utf-8", "replace"))


class _Stream(io.TextIOBase):
    """What a cell finds as ``sys.stdout`` or ``sys.stderr``."""

    encoding = "UTF-8"
    errors = "strict"

    def __init__(self, name: str, fd: int, recorder: Recorder) -> None:
        self.name = f"<{name}>"
        self._kind = name
        self._fd = fd
        self._recorder = recorder
        self._pid = os.getpid()
        self.captured: _Captured | None = None

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        if self.captured is None:
            raise io.UnsupportedOperation("fileno")
        return self._fd

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        if self._pid != os.getpid():
            if self.captured is not None:
                self.captured.write(text)
            return len(text)
        self.drain()
        self._recorder.write(self._kind, text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        self.drain()

    def close(self) -> None:
        """Stay open: the next cell prints too."""

    def drain(self) -> None:
        """Take over what came by way of the descriptor."""
        if self.captured is not None and self._pid == os.getpid():
            new = self.captured.drain(4 * DEFAULT_BYTES)
            if new:
                self._recorder.write(self._kind, new.decode("utf-8", "replace"))

    def adopt(self) -> None:
        """Belong to the present process, a fork of the former one."""
        self._pid = os.getpid()


class _Publisher(DisplayPublisher):
    """Records what `display` shows."""

    shell: Any

    def publish(  # type: ignore[no-untyped-def]
        self, data, metadata=None, source=None, *, transient=None, update=False, **_
    ) -> None:
        if not isinstance(data, dict):
            raise TypeError(f"data must be a dict, got: {data!r}")
        self.shell.drain()
        display_id = (transient or {}).get("display_id")
        if update:
            self.shell.recorder.update(data, metadata, str(display_id))
        else:
            self.shell.recorder.show(
                data, metadata, display_id=None if display_id is None else str(display_id)
            )

    def clear_output(self, wait: bool = False) -> None:
        self.shell.drain()
        self.shell.recorder.clear(bool(wait))


class _Hook(DisplayHook):
    """Records the value of a cell's last expression."""

    shell: Any

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        self.shell.drain()
        self.shell.recorder.show(format_dict, md_dict, count=self.prompt_count)

    def log_output(self, format_dict: Any) -> None:
        # The history would keep all that a cell shows.
        self.shell.history_manager.output_hist_reprs[self.prompt_count] = ""

    def finish_displayhook(self) -> None:
        self._is_active = False


class _Exit(ExitAutocall):
    """`exit` and `quit`, also with the argument that the kernel's have."""

    _ip: Any

    def __call__(self, keep_kernel: bool = False) -> None:
        self._ip.ask_exit()


class CellShell(InteractiveShell):
    """IPython's shell, with its outputs recorded and nothing on disk."""

    displayhook_class = Type(_Hook)
    display_pub_class = Type(_Publisher)
    compiler_class = Type(_Compiler)

    def __init__(self, recorder: Recorder, **options: Any) -> None:
        self.recorder = recorder
        self._folder = ""
        self.streams: tuple[_Stream, ...] = ()
        start: Any = super().__init__
        start(**options)
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
        self.input_transformer_manager = _Transformer()
        leave: Any = _Exit
        self.exiter = leave(self)
        for name in ("exit", "quit"):
            self.user_ns[name] = self.user_ns_hidden[name] = self.exiter

    def init_ipython_dir(self, ipython_dir: Any) -> None:
        """Use none."""

    def init_profile_dir(self, profile_dir: Any) -> None:
        """Use none; what `%store` keeps, it keeps for this notebook."""
        self._db: Any = {}
        if not hasattr(InteractiveShell, "db"):
            # Older versions of IPython make their store at once.
            self._folder = tempfile.mkdtemp()
            self.profile_dir = ProfileDir(location=self._folder)

    @property
    def db(self) -> Any:
        """What `%store` keeps."""
        return self._db

    @db.setter
    def db(self, value: Any) -> None:
        self._db = value

    def init_virtualenv(self) -> None:
        """Leave the paths alone."""

    def init_environment(self) -> None:
        """Leave the environment to whoever starts the process."""

    def init_hooks(self) -> None:
        """Show no pager, which a notebook's page would not show either."""
        start: Any = super().init_hooks
        start()
        hook: Any = page.as_hook
        add: Any = self.set_hook
        add("show_in_pager", hook(lambda *_, **__: None), 99)

    def init_logstart(self) -> None:
        """Log nothing."""

    @contextlib.contextmanager
    def _tee(self, channel: str) -> Iterator[None]:
        """Keep no copy of what is printed."""
        yield

    def _format_exception_for_storage(self, exception: Any, *_: Any, **__: Any) -> dict[str, Any]:
        """Keep no second copy of a traceback in the history."""
        return {"ename": _name(type(exception)), "evalue": "", "traceback": []}

    def drain(self) -> None:
        """Take over what was written to descriptors."""
        for stream in self.streams:
            stream.drain()

    def ask_exit(self) -> NoReturn:
        """End the cell, and nothing else."""
        __tracebackhide__ = True
        raise SystemExit("exit() and quit() end a cell here, not the notebook")

    def enable_gui(self, gui: Any = None) -> None:
        """Have no windows."""

    def system(self, cmd: str) -> None:
        """Run a command of the system, as ``!`` does.

        Parameters
        ----------
        cmd : str
            For the system's shell.
        """
        this: Any = self
        line = this.var_expand(cmd, depth=1)
        sys.stdout.flush()
        done = subprocess.run(line, shell=True, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        self.user_ns["_exit_code"] = done.returncode

    system_piped = system
    system_raw = system

    def showtraceback(self, exc_tuple: Any = None, *args: Any, **kwargs: Any) -> None:
        """Show an exception; of one that went very deep, only both ends."""
        error = (exc_tuple or sys.exc_info())[1]
        if isinstance(error, BaseException):
            _leave_out_middle(error)
        super().showtraceback(exc_tuple, *args, **kwargs)

    def _showtraceback(self, etype: Any, evalue: Any, stb: list[str]) -> None:
        self.drain()
        self.recorder.error(_name(etype), _text(evalue), stb)


class Shell:
    """Runs cells one after the other in one namespace.

    Parameters
    ----------
    namespace : dict, optional
        Where names live. A subclass of dict may answer for names that it does not hold
        (`__missing__` or `__getitem__`).
    max_bytes : int
        What the outputs of one cell may take, unless `run` is told otherwise.
    capture_descriptors : bool
        Whether what is written to descriptors 1 and 2 belongs to a cell's outputs: by `os.write`,
        by commands, by libraries in C.

    Attributes
    ----------
    ip : CellShell
        IPython's shell.
    """

    def __init__(
        self,
        namespace: dict[str, Any] | None = None,
        *,
        max_bytes: int = DEFAULT_BYTES,
        capture_descriptors: bool = False,
    ) -> None:
        self._max_bytes = max_bytes
        self._capture = capture_descriptors
        self._recorder = Recorder(max_bytes)
        self._streams = tuple(
            _Stream(name, fd, self._recorder) for name, fd in (("stdout", 1), ("stderr", 2))
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._installed = False
        config = Config()
        config.HistoryManager.enabled = False
        config.HistoryManager.hist_file = ":memory:"
        # The name that libraries look for when they ask whether a notebook shows their output.
        config.IPKernelApp.connection_file = ""
        CellShell.clear_instance()
        with _quiet_traits():
            self.ip = CellShell.instance(
                recorder=self._recorder, user_ns=namespace, config=config, autoindent=False
            )
        self.ip.streams = self._streams

    @property
    def namespace(self) -> MutableMapping[str, Any]:
        """Where the cells' names live."""
        space: MutableMapping[str, Any] = self.ip.user_ns
        return space

    @property
    def execution_count(self) -> int:
        """The number of the last cell that ran, as in ``In [3]``."""
        return int(self.ip.execution_count) - 1

    def cell_number(self, file: str) -> int | None:
        """Tell which cell a code object comes from.

        Parameters
        ----------
        file : str
            The `co_filename` of the code.

        Returns
        -------
        int or None
            The cell's execution count; None for code that is no cell's.
        """
        number = self.ip.compile._filename_map.get(file)
        return None if number is None else int(number)

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """Be what prints, shows and asks in this process, until the block ends."""
        before = sys.stdout, sys.stderr, builtins.input, getpass.getpass
        kept = [os.dup(fd) for fd in (1, 2)] if self._capture else []
        self.install()
        try:
            yield
        finally:
            self._installed = False
            sys.stdout, sys.stderr, builtins.input, getpass.getpass = before
            for fd, copy in zip((1, 2), kept, strict=False):
                os.dup2(copy, fd)
                os.close(copy)
            for stream in self._streams:
                if stream.captured is not None:
                    stream.captured.close()
                    stream.captured = None

    def install(self) -> None:
        """Be what prints, shows and asks in this process, for good."""
        for fd, stream in zip((1, 2), self._streams, strict=True):
            stream.adopt()
            if self._capture:
                if stream.captured is not None:
                    stream.captured.close()
                stream.captured = _Captured(fd)
                stream.captured.open()
        # What `display` and `get_ipython` find, should another shell have been made since.
        kind: Any
        for kind in CellShell._walk_mro():
            kind._instance = self.ip
        sys.stdout, sys.stderr = self._streams
        builtins.input = _no_input
        getpass.getpass = _no_password
        self._loop = None
        self._installed = True

    def run(
        self, source: str, max_bytes: int | None = None, number: int | None = None
    ) -> list[Output]:
        """Run one cell.

        Parameters
        ----------
        source : str
            The cell's text: Python, with IPython's magics and top-level await.
        max_bytes : int, optional
            What its outputs may take.
        number : int, optional
            The cell's number, as in ``In [3]``; without it, one more than the last.

        Returns
        -------
        list of dict
            Outputs of nbformat 4, in order. An exception is an output of type ``"error"``.
        """
        if not self._installed:
            with self.installed():
                return self.run(source, max_bytes, number)
        if number is not None:
            self.ip.execution_count = number
        self._recorder.begin(self._max_bytes if max_bytes is None else max_bytes)
        try:
            self._execute(source)
        except BaseException as error:
            # An interrupt between the cell's end and ours, or an exception that shows another one.
            name = _name(type(error))
            if not self._recorder.has_error(name):
                text = _text(error)
                self._recorder.error(name, text, [f"{name}: {text}"])
        self.ip.drain()
        return self._recorder.finish()

    def close(self) -> None:
        """Close the event loop: its sockets would be shared by all forks of this process."""
        if self._loop is not None:
            self._loop.close()
            asyncio.set_event_loop(None)

    def _execute(self, source: str) -> None:
        """Run a cell inside a running event loop, as the kernel does."""
        if self._loop is None or self._loop.is_closed():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._loop = asyncio.new_event_loop()
                asyncio.set_event_loop(self._loop)
        task = self._loop.create_task(self._cell(source))
        try:
            result = self._loop.run_until_complete(task)
        except KeyboardInterrupt:
            # It came while the loop was waiting: end the cell's coroutine where it stands.
            task.cancel()
            with contextlib.suppress(BaseException):
                self._loop.run_until_complete(task)
            # Where the cell awaits, its own line is in the traceback of the cancellation.
            if not self._recorder.has_error("KeyboardInterrupt", "CancelledError"):
                self._recorder.error(
                    "KeyboardInterrupt", "", ["\x1b[31mKeyboardInterrupt\x1b[39m: "]
                )
            return
        failed = result.error_before_exec or result.error_in_exec
        if failed is not None:
            name = _name(type(failed))
            if not self._recorder.has_error(name):
                # As nbgrader does where IPython prints an error in another way.
                self._recorder.error(
                    name,
                    _text(failed),
                    ["ERROR: An error occurred while showtraceback was disabled"],
                )

    async def _cell(self, source: str) -> Any:
        """Run a cell as IPython's own `run_cell` does, but transform it once."""
        ip: Any = self.ip
        trouble = None
        try:
            transformed = ip.transform_cell(source)
        except Exception:
            transformed, trouble = source, sys.exc_info()
        result = None
        try:
            cell = ip.run_cell_async(
                source,
                store_history=True,
                transformed_cell=transformed,
                preprocessing_exc_tuple=trouble,
            )
            # Asking compiles the cell once more.
            if _ASYNC.search(transformed) and ip.should_run_async(
                source, transformed_cell=transformed, preprocessing_exc_tuple=trouble
            ):
                result = await cell
            else:
                result = _run_at_once(cell)
        finally:
            ip.events.trigger("post_execute")
            ip.events.trigger("post_run_cell", result)
        return result


def _run_at_once(cell: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that never waits."""
    try:
        cell.send(None)
    except StopIteration as done:
        return done.value
    raise RuntimeError("a cell that waits needs an event loop")


@contextlib.contextmanager
def _quiet_traits() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _leave_out_middle(error: BaseException) -> None:
    """Shorten a traceback of hundreds of frames, which takes a second to print."""
    count = 0
    trace = error.__traceback__
    while trace is not None:
        count, trace = count + 1, trace.tb_next
    if count <= 4 * _SHOWN_FRAMES:
        return
    last = edge = error.__traceback__
    for number in range(count - _SHOWN_FRAMES):
        if last is not None:
            edge = last if number < _SHOWN_FRAMES else edge
            last = last.tb_next
    if edge is not None:
        edge.tb_next = last


def _name(kind: type) -> str:
    return str(vars(type)["__name__"].__get__(kind))


def _text(error: object) -> str:
    try:
        return str(error)
    except BaseException as failed:
        return f"<the exception's text cannot be shown: {_name(type(failed))}>"


def _no_input(prompt: object = "", /) -> NoReturn:
    __tracebackhide__ = True
    raise StdinNotImplementedError(
        "raw_input was called, but this frontend does not support input requests."
    )


def _no_password(prompt: object = "", stream: object = None, **_: object) -> NoReturn:
    __tracebackhide__ = True
    raise StdinNotImplementedError(
        "getpass was called, but this frontend does not support input requests."
    )


def threads() -> int:
    """Count this process's threads, those that Python does not know of included.

    Returns
    -------
    int
    """
    try:
        return len(os.listdir("/proc/self/task"))  # noqa: PTH208 - cheaper, and only names
    except OSError:
        return threading.active_count()
