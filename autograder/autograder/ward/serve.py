"""The ward's end of a check: answers what an examiner asks about a notebook that has run.

It runs in a fork that is thrown away after the check. The examiner believes nothing that comes from
here: whatever a cell does to this code is just another way to answer. For honest cells it keeps
answers exact, quiet and timely.
"""

import builtins
import contextlib
import copy
import importlib
import inspect
import io
import linecache
import logging
import marshal
import math
import operator
import signal
import socket
import sys
import time
import types
import warnings
from binascii import a2b_base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import partial
from hashlib import sha256
from importlib.util import MAGIC_NUMBER
from itertools import islice
from json import dumps
from typing import Any

from .frames import FrameError, TooBig, receive, send
from .shell import Shell
from .values import TOO_MUCH_DATA, VALUES, BadTree, CannotCross, Resolve, decode, encode

MAX_REQUEST = 64 * 2**20
MAX_REPLY = 32 * 2**20
MAX_PRINTED = 64 * 1024
MAX_MESSAGE = 10_000
MAX_WARNINGS = 20
MAX_SOURCE = 100_000
MAX_OBJECTS = 100_000
MAX_ATTRIBUTES = 10_000
MAX_FRAMES = 5


def _exit(thing: Any, name: str | None) -> None:
    """Tell an object that its block has ended, and with what kind of error."""
    kind = vars(builtins)[name] if name is not None else None
    type(thing).__exit__(thing, kind, None if kind is None else kind.__new__(kind), None)


# What an object may be asked, beside being called.
OPERATIONS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "add": operator.add,
    "and": operator.and_,
    "bool": bool,
    "ceil": math.ceil,
    "complex": complex,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "contains": operator.contains,
    "delattr": delattr,
    "delitem": operator.delitem,
    "dir": dir,
    "divmod": divmod,
    "enter": lambda thing: type(thing).__enter__(thing),
    "eq": operator.eq,
    "exit": _exit,
    "float": float,
    "floor": math.floor,
    "floordiv": operator.floordiv,
    "format": format,
    "ge": operator.ge,
    "getattr": getattr,
    "getitem": operator.getitem,
    "gt": operator.gt,
    "iadd": operator.iadd,
    "iand": operator.iand,
    "ifloordiv": operator.ifloordiv,
    "ilshift": operator.ilshift,
    "imatmul": operator.imatmul,
    "imod": operator.imod,
    "imul": operator.imul,
    "index": operator.index,
    "int": int,
    "invert": operator.invert,
    "ior": operator.ior,
    "ipow": operator.ipow,
    "irshift": operator.irshift,
    "isub": operator.isub,
    "iter": iter,
    "itruediv": operator.itruediv,
    "ixor": operator.ixor,
    "le": operator.le,
    "len": len,
    "lshift": operator.lshift,
    "lt": operator.lt,
    "matmul": operator.matmul,
    "mod": operator.mod,
    "mul": operator.mul,
    "neg": operator.neg,
    "next": next,
    "or": operator.or_,
    "pos": operator.pos,
    "pow": operator.pow,
    "repr": repr,
    "reversed": reversed,
    "round": round,
    "rshift": operator.rshift,
    "setattr": setattr,
    "setitem": operator.setitem,
    "str": str,
    "sub": operator.sub,
    "truediv": operator.truediv,
    "trunc": math.trunc,
    "xor": operator.xor,
}
# Operators of two sides, each with its reflected form.
ARITHMETIC = (
    "add", "and", "divmod", "floordiv", "lshift", "matmul", "mod", "mul", "or", "pow", "rshift",
    "sub", "truediv", "xor",
)  # fmt: skip
_SPECIAL = (
    "abs", "bool", "call", "ceil", "complex", "contains", "delitem", "enter", "eq", "exit", "float",
    "floor", "ge", "getitem", "gt", "index", "int", "invert", "iter", "le", "len", "lt", "neg",
    "next", "pos", "reversed", "round", "setitem", "trunc",
    *ARITHMETIC, *(f"r{name}" for name in ARITHMETIC),
    *(f"i{name}" for name in ARITHMETIC if name != "divmod"),
)  # fmt: skip

# Iterators whose kind a check can tell.
_ITERATORS = (enumerate, filter, map, reversed, zip)
BUILT_IN_ERRORS = {
    kind: name
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, BaseException)
}
_SHARED_MODULES = ("builtins", "collections", "datetime", "decimal", "fractions")
_TABLES = (
    "Categorical", "CategoricalIndex", "DataFrame", "DatetimeIndex", "Index", "Interval",
    "IntervalIndex", "MultiIndex", "Period", "PeriodIndex", "RangeIndex", "Series", "Timedelta",
    "TimedeltaIndex", "Timestamp",
)  # fmt: skip

# Before any cell runs: a cell may replace what these modules hold.
_now, _timer, _signal = time.monotonic, signal.setitimer, signal.signal
_set_recursion_limit = sys.setrecursionlimit
_args_of: Callable[[BaseException], tuple[object, ...]] = vars(BaseException)["args"].__get__


# What a class is called, whatever its metaclass makes of the question.
_module_of: Callable[[type], object] = vars(type)["__module__"].__get__
_name_of: Callable[[type], str] = vars(type)["__name__"].__get__


class _OutOfTime(BaseException):
    """Raised inside a call that takes too long; no ``except Exception`` catches it."""


class _LeftTheNotebook(BaseException):
    """Raised where a call would end the notebook, as `exit()` and `quit()` do."""


def serve(sock: socket.socket, shell: Shell) -> None:
    """Answer requests until the other end closes the socket.

    Parameters
    ----------
    sock : socket.socket
        To the examiner.
    shell : Shell
        The shell whose cells have run.
    """
    with contextlib.suppress(FrameError):
        _Server(sock, shell).serve()


def kind_of(value: object) -> str:
    """Say what kind of thing it is that is no data.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    str
        ``"class"``, ``"coroutine"``, ``"generator"``, ``"iterator"``, ``"exception"``,
        ``"function"`` or ``"object"``.
    """
    kind = type(value)
    if issubclass(kind, type):
        return "class"
    if issubclass(kind, types.CoroutineType):
        return "coroutine"
    if issubclass(kind, types.GeneratorType):
        return "generator"
    if _is_iterator(kind):
        return "iterator"
    if issubclass(kind, BaseException):
        return "exception"
    # What `contextlib.contextmanager` makes can be called, too, as a decorator.
    return "function" if callable(value) and not hasattr(kind, "__enter__") else "object"


def _is_iterator(kind: type) -> bool:
    """Whether it is a kind of iterator that a library made; of files, more is asked."""
    names = {name for base in type.mro(kind) for name in vars(base)}
    return (
        {"__iter__", "__next__"} <= names
        and _module_of(kind) != "__main__"
        and not issubclass(kind, io.IOBase)
    )


class _Printed(io.TextIOBase):
    """Keeps the beginning of what a call prints."""

    def __init__(self) -> None:
        self.text = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if len(self.text) < MAX_PRINTED:
            self.text += str(text)[: MAX_PRINTED - len(self.text)]
        return len(text)


@contextlib.contextmanager
def _recording(*, wanted: bool) -> Iterator[list[warnings.WarningMessage]]:
    """Keep the warnings of a call, if the check looks at them."""
    if not wanted:
        yield []
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught


def _told_of(warning: warnings.WarningMessage) -> list[str]:
    """Tell the nearest built-in category of a warning, and its text."""
    bases = type.mro(warning.category)
    kind = next(BUILT_IN_ERRORS[base] for base in bases if base in BUILT_IN_ERRORS)
    return [kind, str(warning.message)[:MAX_MESSAGE]]


class _Alarm:
    """Interrupts a call after some seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._armed = False

    def arm(self) -> None:
        self._armed = True
        _signal(signal.SIGALRM, self._ring)
        # The interval repeats the interruption for code that swallows the first one.
        _timer(signal.ITIMER_REAL, self._seconds, 0.05)

    def disarm(self) -> None:
        self._armed = False
        _timer(signal.ITIMER_REAL, 0)

    def _ring(self, signum: int, frame: types.FrameType | None) -> None:
        if self._armed:
            raise _OutOfTime


class _Case:
    """The arguments of one call of many, each of which gets its own."""

    def __init__(self, args: Any, kwargs: Any) -> None:
        self.args = args
        self.kwargs = kwargs
        tables = [tree for tree in (*args, *(tree for _, tree in kwargs)) if _is_table(tree)]
        self._has_tables = bool(tables)
        self._first: tuple[list[Any], dict[str, Any]] | None = None

    def copy(self, resolve: Resolve) -> tuple[list[Any], dict[str, Any]]:
        if self._first is not None:
            return copy.deepcopy(self._first)
        made = (
            [decode(tree, resolve) for tree in self.args],
            {name: decode(tree, resolve) for name, tree in self.kwargs},
        )
        if self._has_tables:
            # To copy a table is cheaper than to make it.
            self._first = made
            return copy.deepcopy(made)
        return made

    def is_unchanged(self, args: list[Any], kwargs: dict[str, Any]) -> bool:
        """Whether it is plain at once that nothing changed."""
        if self._first is None:
            return False
        first = (*self._first[0], *self._first[1].values())
        return all(
            one.equals(other) if hasattr(one, "equals") else type(one) in _ATOMS
            for one, other in zip(first, (*args, *kwargs.values()), strict=True)
        )


_ATOMS = (type(None), bool, int, float, str, bytes)


def _is_table(tree: object) -> bool:
    return type(tree) is list and tree[0] in ("df", "series")


class _Server:
    """Answers one check."""

    def __init__(self, sock: socket.socket, shell: Shell) -> None:
        self._sock = sock
        self._shell = shell
        self._names: Any = shell.namespace
        self._hidden = set(shell.ip.user_ns_hidden)
        self._objects: dict[int, object] = {}
        self._numbers: dict[int, int] = {}
        self._cases: list[_Case] = []
        self._request = 0
        # Instances of instructors' classes that a call has been given.
        self._records: list[Any] = []
        # Numbers, texts and tuples of instructors' classes that calls were given, by identity.
        self._handed_over: dict[int, tuple[object, str]] = {}

    def serve(self) -> None:
        answers: dict[str, Callable[[dict[str, Any]], None]] = {
            "names": self._answer_names,
            "get": self._answer_get,
            "delete": self._answer_delete,
            "bind": self._answer_bind,
            "describe": self._answer_describe,
            "call": self._answer_call,
            "calls": self._answer_calls,
            "take": self._answer_take,
            "error": self._answer_error,
        }
        vars(self._shell.ip)["ask_exit"] = _leave
        with _quiet():
            while True:
                request, _ = receive(self._sock, None, MAX_REQUEST, max_items=50_000_000)
                self._request = request["id"]
                answers[request["do"]](request)

    def _reply(self, reply: dict[str, Any], case: int | None = None) -> None:
        number = {"id": self._request} if case is None else {"id": self._request, "case": case}
        try:
            send(self._sock, reply | number, max_bytes=MAX_REPLY)
        except TooBig:
            send(self._sock, {"odd": TOO_MUCH_DATA} | number)

    # Names

    def _answer_names(self, request: dict[str, Any]) -> None:
        names = [name for name in dict(self._names) if type(name) is str and self._is_ours(name)]
        self._reply({"names": names[:10_000]})

    def _is_ours(self, name: str) -> bool:
        return name not in self._hidden and name in self._names

    def _answer_get(self, request: dict[str, Any]) -> None:
        name = request["name"]
        if not self._is_ours(name):
            return self._reply({"missing": True})
        value = self._names[name]
        if isinstance(value, types.ModuleType):
            return self._reply({"module": value.__name__} | self._tree(value))
        return self._reply(self._tree(value, request.get("unless")))

    def _answer_delete(self, request: dict[str, Any]) -> None:
        self._names.pop(request["name"], None)
        self._reply({})

    def _answer_bind(self, request: dict[str, Any]) -> None:
        self._names[request["name"]] = decode(request["value"], self._resolve)
        self._reply({})

    def _tree(self, value: object, unless: str | None = None) -> dict[str, Any]:
        try:
            tree = encode(value, self._refer, belongs=self._belongs)
        except CannotCross as reason:
            return {"odd": str(reason)}
        if unless is not None and digest(tree) == unless:
            return {"same": True}
        return {"value": tree}

    # Objects that stay here

    def _number_of(self, value: object) -> int:
        number = self._numbers.get(id(value))
        if number is None:
            if len(self._objects) >= MAX_OBJECTS:
                raise CannotCross(TOO_MUCH_DATA)
            number = len(self._objects)
            self._objects[number] = value
            self._numbers[id(value)] = number
        return number

    def _refer(self, value: Any) -> list[Any]:
        kind = kind_of(value)
        if kind == "class":
            name = name_of_type(value)
            if name is not None:
                return ["type", *name]
        elif kind == "object":
            figure = figure_of(value)
            if figure is not None:
                return ["plotly", encode(figure)]
        for given, record in enumerate(self._records):
            if record is value:
                return ["record", given]
        number = self._number_of(value)
        if kind == "iterator" and type(value) in _ITERATORS:
            return [number, kind, type(value).__name__]
        if kind in ("object", "exception") or (
            kind == "function" and _module_of(type(value)) == "__main__"
        ):
            return [number, kind, self._number_of(type(value))]
        return [number, kind]

    def _belongs(self, value: object) -> list[Any]:
        """Say of which of the notebook's classes a number, a text or a tuple is."""
        kind = type(value)
        if _module_of(kind) != "__main__":
            return []
        if id(value) in self._handed_over:
            return [self._handed_over[id(value)][1]]
        return [self._number_of(value), self._number_of(kind)]

    def _own_value(self, value: Any, of: Any) -> object:
        """Find one of our numbers, texts or tuples, or make one of an instructor's class."""
        if type(of) is int:
            return self._objects[of]
        kind: Any = self._names[of]
        if issubclass(kind, Enum):
            made = kind(value)
        else:
            base: Any = next(base for base in VALUES if isinstance(value, base))
            made = base.__new__(kind, value)
        self._handed_over[id(made)] = (made, of)
        return made

    def _resolve(self, payload: list[Any]) -> object:
        first = payload[0]
        if first == "type" or first == "known":
            thing: Any = importlib.import_module(payload[1])
            for part in payload[2].split("."):
                thing = getattr(thing, part)
            return thing
        if first == "name":
            return self._names[payload[1]]
        if first == "flag":
            return self._names[payload[1]](payload[2])
        if first == "member":
            return self._names[payload[1]][payload[2]]
        if first == "record":
            return self._records[payload[1]]
        if first == "module":
            return importlib.import_module(payload[1])
        if first == "nothing":
            return object()
        if first == "code":
            return self._program(*payload[1:])
        if first == "own":
            return self._own_value(payload[1], payload[2])
        if first == "partial":
            (function, *args), kwargs = self._arguments(payload[1], payload[2])
            return partial(function, *args, **kwargs)
        if first == "getter":
            getter: Any = getattr(operator, payload[1])
            return getter(*decode(payload[2]))
        if first == "plotly":
            return importlib.import_module("plotly.graph_objects").Figure(decode(payload[1]))
        if first == "iterator":
            return _given_items(decode(payload[1], self._resolve), whole=payload[2])
        return self._objects[first]

    def _program(
        self, magic: str, code: str, defaults: Any, named: Any, cells: list[Any], names: list[Any]
    ) -> object:
        """Make a function of the check's own."""
        if magic != MAGIC_NUMBER.hex():
            raise TypeError(
                "a function of the check needs the same version of Python on both sides"
            )
        space = dict(self._names)
        space |= {name: decode(tree, self._resolve) for name, tree in names}
        made = types.FunctionType(
            marshal.loads(a2b_base64(code)),
            space,
            None,
            decode(defaults, self._resolve),
            tuple(types.CellType(decode(tree, self._resolve)) for tree in cells) or None,
        )
        made.__kwdefaults__ = decode(named, self._resolve)
        return made

    def _answer_describe(self, request: dict[str, Any]) -> None:
        thing = self._objects[request["object"]]
        try:
            described = _described_class(thing, self) if isinstance(thing, type) else {}
            described |= _described(thing, with_source=request.get("source") is True)
        except Exception:
            described = {}
        self._reply(described)

    # Calls

    def _answer_call(self, request: dict[str, Any]) -> None:
        asked = request["function"]
        function = OPERATIONS[asked] if type(asked) is str else self._objects[asked]
        # A question between two calls leaves those of the last call alone.
        records = request.get("records")
        try:
            if records is not None:
                self._records = [object.__new__(self._names[name]) for name, _ in records]
                for made, (_, tree) in zip(self._records, records, strict=True):
                    vars(made).update(decode(tree, self._resolve))
            args, kwargs = self._arguments(request["args"], request["kwargs"])
        except (BadTree, KeyError, AttributeError, ImportError, TypeError) as error:
            return self._reply({"raised": {"kind": "TypeError", "args": [str(error)]}})
        _take_seeds(request.get("seeds") or ())
        printed, warns = _Printed(), request.get("warns") is True
        with contextlib.redirect_stdout(printed), _recording(wanted=warns) as caught:
            reply = self._called(function, args, kwargs, request["seconds"])
        if caught:
            reply["warned"] = [_told_of(warning) for warning in caught[:MAX_WARNINGS]]
        if "raised" not in reply and "slow" not in reply:
            reply |= self._tree(reply["answer"])
        reply.pop("answer", None)
        changed = self._changed(request["args"], request["kwargs"], args, kwargs)
        if changed:
            reply["changed"] = changed
        altered = self._altered(records or ())
        if altered:
            reply["records"] = altered
        if printed.text:
            reply["printed"] = printed.text
        return self._reply(reply)

    def _altered(self, records: Any) -> list[Any]:
        """List the instances of instructors' classes whose attributes have changed."""
        altered = []
        for number, (_, tree) in enumerate(records):
            made = self._records[number]
            try:
                now = encode(vars(made), self._refer)
            except CannotCross:
                continue
            if now != tree:
                altered.append([number, now])
        return altered

    def _answer_calls(self, request: dict[str, Any]) -> None:
        """Call one function with many sets of arguments; a frame for each."""
        function = self._objects[request["function"]]
        self._cases += [_Case(args, kwargs) for args, kwargs in request["calls"]]
        seconds = request["seconds"]
        end = _now() + request["in_all"]
        for place, index in enumerate(request["order"]):
            if _now() > end:
                self._reply({"skipped": True}, place)
                continue
            reply = self._called_plainly(function, self._cases[index], seconds)
            if "slow" in reply:
                seconds = min(seconds, request["once_slow"])
            self._reply(reply, place)

    def _called_plainly(self, function: Any, case: "_Case", seconds: float) -> dict[str, Any]:
        try:
            args, kwargs = case.copy(self._resolve)
        except (BadTree, KeyError, AttributeError, ImportError) as error:
            return {"raised": {"kind": "TypeError", "args": [str(error)]}}
        reply = self._called(function, args, kwargs, seconds)
        if "answer" not in reply:
            return reply
        try:
            reply = {"value": encode(reply["answer"], _refuse)}
        except CannotCross as reason:
            return {"odd": str(reason)}
        if not case.is_unchanged(args, kwargs):
            changed = self._changed(case.args, case.kwargs, args, kwargs)
            if changed:
                reply["changed"] = changed
        return reply

    def _called(
        self, function: Any, args: list[Any], kwargs: dict[str, Any], seconds: float
    ) -> dict[str, Any]:
        alarm = _Alarm(seconds)
        try:
            try:
                try:
                    alarm.arm()
                    answer = function(*args, **kwargs)
                finally:
                    alarm.disarm()
            finally:
                alarm.disarm()  # again, as the alarm may ring while it is being disarmed
        except _OutOfTime:
            return {"slow": True}
        except BaseException as error:
            alarm.disarm()
            return {"raised": self._raised(function, error)}
        finally:
            _set_recursion_limit(_RECURSION)
        return {"answer": answer}

    def _arguments(self, args: Any, kwargs: Any) -> tuple[list[Any], dict[str, Any]]:
        resolve = self._resolve
        return (
            [decode(tree, resolve) for tree in args],
            {name: decode(tree, resolve) for name, tree in kwargs},
        )

    def _changed(
        self, args_trees: Any, kwargs_trees: Any, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> list[Any]:
        """List the arguments that are no longer what they were."""
        changed = []
        places: list[tuple[Any, Any, Any]] = [
            (at, tree, value) for at, (tree, value) in enumerate(zip(args_trees, args, strict=True))
        ]
        places += [(name, tree, kwargs[name]) for name, tree in kwargs_trees]
        for place, tree, value in places:
            if type(tree) is list and (_may_change(tree[0]) or tree[:2] == ["ref", "plotly"]):
                try:
                    now = encode(value, self._refer, belongs=self._belongs)
                except CannotCross:
                    continue
                if now != tree:
                    changed.append([place, now])
        return changed

    def _answer_take(self, request: dict[str, Any]) -> None:
        """Take the next items of an iterator."""
        iterator: Any = self._objects[request["object"]]
        items: list[Any] = []

        def take() -> None:
            items.extend(islice(iterator, request["count"]))

        printed = _Printed()
        with contextlib.redirect_stdout(printed):
            reply = self._called(take, [], {}, request["seconds"])
        if "answer" in reply:
            reply = {"done": len(items) < request["count"]}
        reply |= self._tree(items)
        if printed.text:
            reply["printed"] = printed.text
        self._reply(reply)

    # Exceptions

    def _answer_error(self, request: dict[str, Any]) -> None:
        """Tell of an exception that is an answer."""
        self._reply(self._raised(None, self._objects[request["object"]]))

    def _raised(self, function: object, error: Any) -> dict[str, Any]:
        """Tell what an exception says, without running anything that its class defines."""
        kinds = type(error).__mro__
        kind = next(BUILT_IN_ERRORS[kind] for kind in kinds if kind in BUILT_IN_ERRORS)
        told: dict[str, Any] = {"kind": kind, "frames": self._frames(error)}
        if isinstance(error, _LeftTheNotebook):
            told |= {"kind": "SystemExit", "left": True}
        elif any(base.__name__ == "StdinNotImplementedError" for base in kinds):
            told["asked"] = True
        elif type(error) not in BUILT_IN_ERRORS:
            told["class"] = self._number_of(type(error))
            told["object"] = self._number_of(error)
        told["line"] = self._line_of(function, error)
        told["own"] = _arose_in(function, error)
        try:
            said = [encode(item, max_items=100) for item in _args_of(error)[:10]]
            told["args"] = said if len(dumps(said)) <= MAX_MESSAGE else []
        except CannotCross:
            told["args"] = []
        if not told["args"]:
            with contextlib.suppress(BaseException):
                text = str(error)[:MAX_MESSAGE]
                told["args"] = [text] if text else []
        with contextlib.suppress(CannotCross, AttributeError, TypeError):
            state = dict(vars(error))
            if isinstance(error, OSError):
                state["filename"] = error.filename
            if state:
                told["state"] = encode(state, self._refer, max_items=MAX_ATTRIBUTES)
        return told

    def _frames(self, error: BaseException) -> list[list[Any]]:
        """List where in the notebook's cells it arose: cell, line and function."""
        frames: list[list[Any]] = []
        trace = error.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            cell = self._shell.cell_number(code.co_filename)
            if cell is not None:
                frames.append([cell, trace.tb_lineno, code.co_name])
            trace = trace.tb_next
        return frames[-MAX_FRAMES:]

    def _line_of(self, function: object, error: BaseException) -> int | None:
        """Find the last line of the function's own cell in the traceback."""
        if not isinstance(function, types.FunctionType):
            return None
        file = function.__code__.co_filename
        if self._shell.cell_number(file) is None:
            return None
        line = None
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == file:
                line = trace.tb_lineno
            trace = trace.tb_next
        return line


_RECURSION = sys.getrecursionlimit()


def digest(tree: object) -> str:
    """Name a tree by its content.

    Parameters
    ----------
    tree : object
        As `values.encode` writes it.

    Returns
    -------
    str
    """
    text = dumps(tree, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _take_seeds(seeds: Sequence[Any]) -> None:
    """Set the generators of random numbers as the check has seeded its own."""
    for module, tree in seeds:
        place = sys.modules.get(module) or importlib.import_module(module)
        state = decode(tree)
        (place.setstate if module == "random" else place.set_state)(state)


def _leave() -> None:
    raise _LeftTheNotebook


def _refuse(value: object) -> list[Any]:
    raise CannotCross(kind_of(value))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep warnings and log lines of a call to itself; nobody reads them."""
    nowhere = _Printed()
    logging.disable(logging.CRITICAL)
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        warnings.simplefilter("ignore")
        yield


def _given_items(items: list[Any], *, whole: bool) -> Iterator[Any]:
    """Be an iterator of the check's."""
    yield from items
    if not whole:
        raise RuntimeError(f"the check hands over no more than {len(items)} items of an iterator")


def _may_change(tag: object) -> bool:
    return tag in (
        "l",
        "d",
        "s",
        "ba",
        "od",
        "dd",
        "counter",
        "deque",
        "a",
        "ao",
        "series",
        "stringio",
        "df",
        "t",
    )


def _arose_in(function: object, error: BaseException) -> bool:
    """Whether the function itself raised, not another one that it calls."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return (
        not isinstance(function, types.FunctionType)
        or trace is None
        or trace.tb_frame.f_code is function.__code__
    )


def shared_type(module: object, name: object) -> type | None:
    """Find a type that is the same on both sides.

    Parameters
    ----------
    module, name : object
        Where it is said to be.

    Returns
    -------
    type or None
        None if there is none of that name, or if it is not one of the types that are shared: those
        of the language, of dates and numbers, and NumPy's and pandas' kinds of data.
    """
    if type(module) is not str or type(name) is not str:
        return None
    if module in _SHARED_MODULES or (module == "pandas" and name in _TABLES):
        found = vars(importlib.import_module(module)).get(name)
        return found if isinstance(found, type) else None
    if module == "numpy":
        numpy = importlib.import_module("numpy")
        found = vars(numpy).get(name)
        if isinstance(found, type) and (issubclass(found, numpy.generic) or name == "ndarray"):
            return found
    return None


def name_of_type(kind: type) -> tuple[str, str] | None:
    """Give a shared type's module and name.

    Parameters
    ----------
    kind : type
        Any type.

    Returns
    -------
    tuple of str, or None
        None for a type that is not shared.
    """
    module, name = _module_of(kind), _name_of(kind)
    if type(module) is not str:
        return None
    module = module.partition(".")[0]
    return (module, name) if shared_type(module, name) is kind else None


def figure_of(value: Any) -> Any:
    """Read what a plotly figure shows, as plain data with its arrays.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    dict or None
        None for what is no figure.
    """
    module = sys.modules.get("plotly.basedatatypes")
    if module is None or not isinstance(value, module.BaseFigure):
        return None
    try:
        return {
            "data": [trace.to_plotly_json() for trace in value.data],
            "layout": value.layout.to_plotly_json(),
        }
    except Exception:
        return None


def _described(thing: Any, *, with_source: bool) -> dict[str, Any]:
    """Describe a function or a class: what `inspect` would say about it, as text.

    To find where the source ends takes longer than all the rest, and most checks ask for the name.
    """
    code = getattr(thing, "__code__", None)
    described: dict[str, Any] = {
        "name": _clip(getattr(thing, "__name__", None)),
        "qualname": _clip(getattr(thing, "__qualname__", None)),
        "doc": _clip(getattr(thing, "__doc__", None), MAX_MESSAGE),
        "signature": _signature(thing),
        "async": inspect.iscoroutinefunction(thing),
        "generator": inspect.isgeneratorfunction(thing),
    }
    if isinstance(code, types.CodeType):
        described["code"] = {
            "names": [_clip(name) for name in _all_names(code)][:1000],
            "varnames": [_clip(name) for name in code.co_varnames][:1000],
            "argcount": code.co_argcount,
            "posonlyargcount": code.co_posonlyargcount,
            "kwonlyargcount": code.co_kwonlyargcount,
            "flags": code.co_flags,
            "line": code.co_firstlineno,
            "constants": _constants(code),
        }
        if with_source:
            described["source"] = _source(code)
    return described


def _names_of_items(kind: type) -> list[str] | None:
    """Name the items of a named tuple."""
    names = getattr(kind, "_fields", None) if issubclass(kind, tuple) else None
    return [_clip(name) or "" for name in names] if type(names) is tuple else None


def _fields(kind: type) -> list[list[Any]] | None:
    """List the fields of a dataclass: name, annotation, and the default if it is data."""
    if not is_dataclass(kind):
        return None
    told: list[list[Any]] = []
    for field in fields(kind)[:200]:
        default = None
        if field.default is not MISSING:
            with contextlib.suppress(CannotCross):
                default = [encode(field.default, max_items=1000)]
        told.append([field.name, _annotation(field.type), default])
    return told


def _clip(text: object, longest: int = 200) -> str | None:
    return text[:longest] if type(text) is str else None


def _all_names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    # So that a call inside a comprehension or a nested function is seen too.
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from (name for name in _all_names(inner) if name not in code.co_names)


def _constants(code: types.CodeType) -> Any:
    plain = [item for item in code.co_consts if not isinstance(item, types.CodeType)]
    try:
        return encode(tuple(plain), max_items=1000)
    except CannotCross:
        return None


def _source(code: types.CodeType) -> str | None:
    lines = linecache.getlines(code.co_filename)
    if not lines:
        return None
    return "".join(inspect.getblock(lines[code.co_firstlineno - 1 :]))[:MAX_SOURCE]


def _signature(thing: Any) -> list[Any] | None:
    try:
        parameters = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return None
    told = []
    for parameter in list(parameters)[:200]:
        default = None
        if parameter.default is not parameter.empty:
            try:
                default = [encode(parameter.default, max_items=1000)]
            except CannotCross:
                default = []
        told.append(
            [
                parameter.name,
                int(parameter.kind),
                default,
                _annotation(parameter.annotation),
            ]
        )
    returns = _annotation(inspect.signature(thing).return_annotation)
    return [told, returns]


def _annotation(annotation: Any) -> str | None:
    if annotation is inspect.Parameter.empty:
        return None
    return _clip(annotation if type(annotation) is str else inspect.formatannotation(annotation))


def _described_class(kind: type, server: _Server) -> dict[str, Any]:
    """Describe a class: its bases, and which of the special methods are its author's."""
    mro = type.mro(kind)
    own = [base for base in mro if name_of_type(base) is None]
    return {
        "bases": [server._number_of(base) for base in kind.__bases__ if base in own][:20],
        "error": next((BUILT_IN_ERRORS[base] for base in mro if base in BUILT_IN_ERRORS), None),
        "module": _clip(_module_of(kind)),
        "unhashable": kind.__hash__ is None,
        "abstract": sorted(getattr(kind, "__abstractmethods__", ()))[:100],
        "fields": _fields(kind),
        "items": _names_of_items(kind),
        "value": next((base.__name__ for base in VALUES if issubclass(kind, base)), None),
        "annotations": [
            [name, _annotation(noted)]
            for name, noted in list(inspect.get_annotations(kind).items())[:200]
        ],
        "says": any("__str__" in vars(base) for base in own),
        "special": [name for name in _SPECIAL if any(f"__{name}__" in vars(base) for base in own)],
    }
