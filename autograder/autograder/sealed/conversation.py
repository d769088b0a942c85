"""A conversation with a fork of the ward: what a check asks, and what becomes of the answers.

Data comes back as data of exact types, and all else as a proxy or as an exception of this side.
No answer is trusted further than an answer can be.
"""

import abc
import contextlib
import enum
import functools
import importlib.util
import inspect
import itertools
import marshal
import math
import operator
import socket
import sys
import time
import types
from binascii import b2a_base64
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, cast

from autograder.sealed import seeds
from autograder.sealed.changes import become
from autograder.sealed.definitions import Asked, Members
from autograder.sealed.proxies import (
    GRACE_SECONDS,
    PLACE,
    PROTOCOLS,
    SPECIAL_METHODS,
    AskedAttribute,
    Gone,
    Handle,
    Refused,
    RemoteAbstractType,
    RemoteErrorType,
    RemoteFunction,
    RemoteIterator,
    RemoteObject,
    RemoteType,
    Unasked,
    attribute_of_error,
    attribute_of_value,
    builtin_of,
    handle_of,
    handle_of_value,
    is_remote,
    make_class,
    refuse_pickling,
    text_of_error,
    text_of_value,
)
from autograder.sealed.told import (
    KINDS,
    PHRASES,
    annotation_of,
    dataclass_fields,
    error_of,
    figure_from,
    is_known_module,
    is_name,
    is_number,
    library_class,
    line_of,
    list_of,
    messages_of,
    phrase_of,
    strings_of,
    text_or_none,
)
from autograder.sealed.warned import are_warnings_recorded, warn_again
from autograder.ward.frames import Closed, FrameError, TimedOut, receive, send
from autograder.ward.serve import (
    ARITHMETIC,
    BUILT_IN_ERRORS,
    MAX_REPLY,
    figure_of,
    name_of_type,
    shared_type,
)
from autograder.ward.values import (
    TOO_MUCH_DATA,
    VALUES,
    BadTree,
    CannotCross,
    decode,
    encode,
    is_method_of_data,
    named_tuple,
)

MAX_FORKS = 6
# Of an iterator of the check's, which may have no end.
MAX_GIVEN = 10_000
MAX_RECORDS = 2_000
_MAX_CLASSES = 1_000
_MAX_FRAMES = 10
_KNOWN_MODULES = (
    "builtins", "math", "cmath", "operator", "statistics", "random", "itertools", "functools",
    "string", "re", "numpy", "numpy.linalg", "numpy.random", "pandas",
)  # fmt: skip
# What Python and libraries ask objects for, and what a class works out by itself.
_PROTOCOLS = ("__", *PROTOCOLS)
_WORKED_OUT = (functools.cached_property, property, staticmethod, classmethod)
_GETTERS = (operator.attrgetter, operator.itemgetter)
_RAISE = compile("raise RuntimeError", "", "exec")
# Operations that leave what a notebook's names hold alone.
_READING = ("dir", "format", "getattr", "len", "repr", "str")
# Operations of a library's objects that give data, and are told of none.
_LOOKS = ("iter", "len")
# Of a class whose base is not shown: what neither compares nor counts.
_UNCOMPARED = ("call", "enter", "exit", "getitem", "iter", "len", "next", "reversed")
_ENDS_A_LOOP = (StopIteration, StopAsyncIteration, GeneratorExit)
# Methods that data has, too, and that objects of libraries may be asked for: they are told nothing
# that the check expects.
_READING_METHODS = frozenset({
    "agg", "aggregate", "apply", "astype", "compressed", "copy", "count", "cumsum", "describe",
    "filled", "first", "flatten", "get", "get_group", "group", "head", "idxmax", "idxmin",
    "items", "keys", "last", "max", "mean", "median", "min", "ngroups", "nunique", "prod",
    "quantile", "ravel", "reshape", "round", "size", "std", "sum", "tail", "to_dict",
    "to_numpy", "todense", "tolist", "transform", "transpose", "values", "var",
})  # fmt: skip
_ORDER = frozenset({"__lt__", "__le__", "__gt__", "__ge__"})
_ITEMS = frozenset({
    "__contains__", "__delitem__", "__getitem__", "__iter__", "__len__", "__next__",
    "__reversed__", "__setitem__",
})  # fmt: skip
# Which members of a class let its objects be asked for an operation; otherwise the one of its name.
_MEMBERS: dict[str, frozenset[str]] = {
    **dict.fromkeys(("lt", "le", "gt", "ge"), _ORDER),
    **dict.fromkeys((name.strip("_") for name in _ITEMS), _ITEMS),
    **{name: frozenset({f"__{name}__", f"__r{name}__", f"__i{name}__"}) for name in ARITHMETIC},
    **{f"i{name}": frozenset({f"__{name}__", f"__i{name}__"}) for name in ARITHMETIC},
    "bool": frozenset({"__bool__", "__len__"}),
    "float": frozenset({"__float__", "__index__"}),
    "int": frozenset({"__int__", "__index__", "__trunc__"}),
    "complex": frozenset({"__complex__", "__float__", "__index__"}),
}
_trees: dict[tuple[int, int], tuple[Any, Any, Any]] = {}


@dataclass(frozen=True)
class Answer:
    """What came of one call of many.

    Attributes
    ----------
    kind : str
        ``"value"``, ``"raised"``, ``"odd"``, ``"slow"``, ``"skipped"`` or ``"ended"`` (the call
        ended the process).
    value : object
        The answer, of exact types.
    odd : str
        What it was instead of data: ``"class"``, ``"coroutine"``, ``"generator"``, ``"iterator"``,
        ``"exception"``, ``"function"``, ``"object"``, or a phrase of `autograder.ward.values`.
    error : str
        For an exception: the name of its nearest built-in class.
    messages : tuple of str
        For an exception: what it was made with.
    line : int or None
        For an exception: the line of the function's own cell.
    own : bool
        For an exception: whether the function itself raised it.
    left, asked : bool
        Whether the call wanted to end the notebook, or asked for input.
    args, kwargs : tuple and dict, or None
        The arguments as the call left them, where it changed any.
    """

    kind: Literal["value", "raised", "odd", "slow", "skipped", "ended"]
    value: Any = None
    odd: str = ""
    error: str = ""
    messages: tuple[str, ...] = ()
    line: int | None = None
    own: bool = True
    left: bool = False
    asked: bool = False
    args: tuple[Any, ...] | None = None
    kwargs: dict[str, Any] | None = None


@dataclass(frozen=True)
class Found:
    """What a name of the notebook holds.

    Attributes
    ----------
    kind : str
        ``"missing"``, ``"same"`` (as what the asker knows), ``"module"`` or ``"value"``.
    value : object
        The value.
    tree : object
        How the value was written.
    module : str
        For a module: its name, as the submission has it.
    """

    kind: Literal["missing", "same", "module", "value"]
    value: Any = None
    tree: Any = None
    module: str = ""


def connect(holder: socket.socket) -> socket.socket:
    """Have a holder fork, and give the socket to that fork.

    Parameters
    ----------
    holder : socket.socket
        As `Ward.checkpoint` gives it.

    Returns
    -------
    socket.socket
    """
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            send(holder, {"do": "fork"}, [theirs.fileno()], seconds=5)
    except FrameError:
        ours.close()
        raise
    return ours


def _nobody() -> NoReturn:
    raise Closed("there is no submission to ask here")


class Conversation:
    """Speaks with one fork of the ward after the other.

    Parameters
    ----------
    cell_file : callable, optional
        Gives the file name under which tracebacks show a line of the cell of this number.
    own_name : callable, optional
        Gives the name under which both sides have a trusted function or class, or None.
    own_class : callable, optional
        Gives the trusted class that both sides have under a name, or None.
    """

    def __init__(
        self,
        cell_file: Callable[[int, int], str] | None = None,
        own_name: Callable[[object], str | None] | None = None,
        own_class: Callable[[str], type | None] | None = None,
    ) -> None:
        self._dial: Callable[[], socket.socket] = _nobody
        self._sock: socket.socket | None = None
        self._forks = 0
        self._request = 0
        self._cell_file = cell_file or (lambda number, line: f"<learner's cell {number}>")
        self._own_name = own_name or (lambda thing: None)
        self._own_class = own_class or (lambda name: None)
        # Instances of trusted classes: those handed over in this call, each with its class's name,
        # and those that came, whose attributes are still to be asked for.
        self._given: list[tuple[str, Any]] = []
        self._sending: list[types.FunctionType] = []
        self._unfilled: list[tuple[Any, Handle]] = []
        self._filled: set[int] = set()
        self._named: Container[str] = ()
        # Types of few bits that stay what they are, and exceptions that the check catches.
        self._kept: Container[str] = ()
        self._expected: Container[str] = ()
        self._asked: Asked | None = None
        self._seeds = False
        self._classes = 0
        # Grows with each question that may have changed what the notebook's names hold.
        self.epoch = 0
        self.generation = 0
        self.deadline = math.inf
        self.proxies: dict[int, Any] = {}
        self.own_stdout: object = None
        # How many lines each cell has: no more can be said of where an exception arose.
        self.lines: Mapping[int, int] | None = None
        # By identity of the tree, which is kept alive: its number in the present fork.
        self._sent: dict[int, tuple[int, Any]] = {}
        self._referred = False
        self._trouble: Exception | None = None

    def start(self, dial: Callable[[], socket.socket]) -> None:
        """Begin a run of checks, all of which ask one fork.

        Parameters
        ----------
        dial : callable
            Gives a socket to a new fork. The first is made when something is asked.
        """
        self.close()
        self._dial = dial
        self.check()

    def check(
        self,
        named: Container[str] = (),
        deadline: float = math.inf,
        asked: Asked | None = None,
    ) -> None:
        """Begin a check.

        Parameters
        ----------
        named : container of str
            The names that the check's own text uses. Exceptions that it names arrive as themselves.
        deadline : float
            When the check's time is up, by `time.monotonic`.
        asked : Asked, optional
            What may be asked of objects of learners' classes, such as to add and to compare them.
            Where a number or a table is asked for, an object could otherwise say itself that it is
            close to any number and equal to any table. Without it, anything may be asked of the
            classes of `named`.
        """
        self._named, self.deadline, self._asked = named, deadline, asked
        self._kept = named if asked is None else asked.reads
        self._expected = named if asked is None else asked.expects
        self._seeds = "seed" in self._kept
        if self._seeds:
            seeds.watch()
        self._forks = self._classes = 0

    def close(self) -> None:
        """End the fork, and the check."""
        self._hang_up()
        self._dial = _nobody

    def _hang_up(self) -> None:
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def left(self) -> float:
        """How many seconds a call may take."""
        seconds = min(self.deadline - time.monotonic(), 86_400.0)
        return max(seconds, 0.1)

    def ask(self, request: dict[str, Any], seconds: float | None = None) -> dict[str, Any]:
        """Send one request and receive its reply.

        Parameters
        ----------
        request : dict
            Of the protocol.
        seconds : float, optional
            How long the ward may work on it; by default, as long as the cell has left.

        Returns
        -------
        dict
            As it came: nothing in it is to be trusted.

        Raises
        ------
        Gone
            If the fork ended or did not answer.
        """
        self.send(request)
        return self.receive(self.left() if seconds is None else seconds)

    def send(self, request: dict[str, Any]) -> None:
        """Send one request, to a new fork if the last one is gone."""
        sock = self._sock or self._new_fork()
        self._request += 1
        request = {**request, "id": self._request}
        try:
            send(sock, request, seconds=10)
        except Closed:
            # It ended after its last answer; what it held is gone.
            if any(key in request for key in ("object", "function")):
                self._lose("its process has ended")
            self._hang_up()
            send(self._new_fork(), request, seconds=10)
        except FrameError as error:
            self._lose(str(error))

    def receive(self, seconds: float) -> dict[str, Any]:
        """Receive one reply to the last request."""
        assert self._sock is not None
        try:
            reply, _ = receive(self._sock, seconds + GRACE_SECONDS, MAX_REPLY)
        except TimedOut:
            self._hang_up()
            raise TimeoutError("the submission took too long and was stopped") from None
        except FrameError as error:
            self._lose(str(error))
        if reply.get("id") != self._request:
            self._end_as_unasked()
        return reply

    def _end_as_unasked(self) -> NoReturn:
        self._hang_up()
        raise Unasked("the submission answered what it was not asked")

    def _lose(self, reason: str) -> NoReturn:
        self._hang_up()
        raise Gone(f"the submission stopped answering: {reason}") from None

    def _new_fork(self) -> socket.socket:
        if self._forks >= MAX_FORKS:
            raise Gone("the submission ended its process too often")
        self._forks += 1
        self.generation += 1
        self.proxies = {}
        self._sent = {}
        try:
            self._sock = self._dial()
        except FrameError:
            raise Gone("the submission's process is gone") from None
        return self._sock

    # Names

    def names(self) -> list[str]:
        """List the names that the submission has bound."""
        names = self.ask({"do": "names"}).get("names")
        return [name for name in list_of(names) if type(name) is str][:10_000]

    def get(self, name: str, unless: str | None = None) -> Found:
        """Look a name up.

        Parameters
        ----------
        name : str
            A name of the notebook.
        unless : str, optional
            A digest of what the name held: if it still does, no value is sent.

        Returns
        -------
        Found
        """
        reply = self.ask({"do": "get", "name": name, "unless": unless})
        if reply.get("missing"):
            return Found("missing")
        if unless is not None and reply.get("same"):
            return Found("same")
        value = self._value(reply)
        if type(reply.get("module")) is str:
            return Found("module", value, module=reply["module"])
        handle = handle_of(value)
        if handle is not None:
            handle.name = name
            if isinstance(value, RemoteType) and is_name(name):
                value._set("__name__", name)  # as the check calls it
        return Found("value", value, reply["value"])

    def name_of(self, value: object) -> str | None:
        """Give the name under which an object of the ward was found."""
        handle = handle_of(value)
        return None if handle is None else handle.name

    def delete(self, name: str) -> None:
        """Delete a name in the fork."""
        self.ask({"do": "delete", "name": name})

    def bind(self, name: str, proxy: object) -> None:
        """Bind a name in the fork to one of its own objects."""
        self.ask({"do": "bind", "name": name, "value": self.encode(proxy)})

    # Values

    def encode(self, value: object) -> Any:
        """Write a value for the ward.

        Raises
        ------
        Refused
            If it is neither data nor something that the ward has too.
        """
        __tracebackhide__ = True
        self._trouble = None
        try:
            return encode(value, self._refer, belongs=self._belongs)
        except CannotCross as reason:
            if self._trouble is not None:
                raise self._trouble from None
            raise Refused(f"{reason} cannot be handed to a submission") from None

    def _belongs(self, value: object) -> list[Any]:
        """Say of which class of the notebook's a number, a text or a tuple is."""
        handle = handle_of_value(value)
        own = self._own_name(type(value)) if handle is None else None
        if handle is None and own is None:
            return []
        self._referred = True
        try:
            if handle is None:
                return [own]
            return [self.number_of(handle), self.number_of(cast(RemoteType, type(value))._place)]
        except (Gone, NameError, TimeoutError) as error:
            self._trouble = error
            raise

    def _refer(self, value: object) -> list[Any]:
        try:
            return self._reference(value)
        except (Gone, NameError, TimeoutError) as error:
            self._trouble = error
            raise

    def _reference(self, value: object) -> list[Any]:
        handle = handle_of(value)
        self._referred = True
        if handle is not None:
            return [self.number_of(handle)]
        own = self._own_name(value)
        if own is not None:
            return ["name", own]
        if isinstance(value, type):
            name = name_of_type(value)
            if name is not None:
                return ["type", *name]
            raise CannotCross("a class of the check's own")
        own = self._own_name(type(value))
        if own is not None and isinstance(value, enum.Flag):
            return ["flag", own, value.value]
        if own is not None and isinstance(value, enum.Enum):
            return ["member", own, value.name]
        if own is not None and _has_plain_state(value):
            return ["record", self._number_given(own, value)]
        known = _known_function(value)
        if known is not None:
            return ["known", *known]
        if type(value) is types.FunctionType:
            return self._program(value)
        if type(value) is object:
            return ["nothing"]
        if isinstance(value, types.ModuleType) and is_known_module(value.__name__):
            return ["module", value.__name__]
        if type(value) is functools.partial:
            parts = [value.func, *value.args]
            return [
                "partial",
                [encode(item, self._refer) for item in parts],
                [[name, encode(item, self._refer)] for name, item in value.keywords.items()],
            ]
        if isinstance(value, _GETTERS):
            made, args = cast(Any, value.__reduce__())[:2]
            return ["getter", made.__name__, encode(args)]
        figure = figure_of(value)
        if figure is not None:
            return ["plotly", encode(figure)]
        if isinstance(value, Iterator) and type(value).__module__ in ("builtins", "itertools"):
            given = self._given
            # It may itself ask the submission.
            items = list(itertools.islice(value, MAX_GIVEN + 1))
            self._given = given
            whole = len(items) <= MAX_GIVEN
            return ["iterator", encode(items[:MAX_GIVEN], self._refer), whole]
        raise CannotCross("something callable" if callable(value) else "an object of a class")

    def _program(self, function: types.FunctionType) -> list[Any]:
        """Write a function of the check's own, such as a lambda: its code, and what that uses.

        The ward runs it on its own. What it would change here would not change, so a function that
        uses a list or a dict of the check's is refused.
        """
        if function in self._sending or len(self._sending) > 20:
            raise CannotCross("a function that calls itself")
        self._sending.append(function)
        try:
            code = function.__code__
            cells = [cell.cell_contents for cell in function.__closure__ or ()]
            names = {
                name: dict.__getitem__(function.__globals__, name)
                for name in _global_names(code)
                if dict.__contains__(function.__globals__, name)
            }
            return [
                "code",
                importlib.util.MAGIC_NUMBER.hex(),
                b2a_base64(marshal.dumps(code), newline=False).decode("ascii"),
                encode(function.__defaults__, self._refer_fixed),
                encode(function.__kwdefaults__, self._refer_fixed),
                [self._fixed(item) for item in cells],
                [[name, self._fixed(item)] for name, item in names.items()],
            ]
        except ValueError:  # an empty cell, or code that cannot be written
            raise CannotCross("an unusual function") from None
        finally:
            self._sending.pop()

    def _fixed(self, value: object) -> Any:
        if isinstance(value, types.ModuleType):
            return ["ref", "module", value.__name__]
        if type(value) in (list, dict, set, bytearray):
            raise CannotCross("a function that uses a list or a dict beside it")
        return encode(value, self._refer_fixed)

    def _refer_fixed(self, value: object) -> list[Any]:
        if self._own_name(type(value)) is not None or isinstance(value, Iterator):
            raise CannotCross("a function that uses an object beside it")
        return self._refer(value)

    def _number_given(self, own: str, value: object) -> int:
        for number, (_, given) in enumerate(self._given):
            if given is value:
                return number
        if len(self._given) >= MAX_RECORDS:
            raise CannotCross(TOO_MUCH_DATA)
        self._given.append((own, value))
        return len(self._given) - 1

    def _records(self) -> list[list[Any]]:
        """Write the instances of trusted classes that a call gets, and those that they hold."""
        written: list[list[Any]] = []
        while len(written) < len(self._given):
            own, value = self._given[len(written)]
            written.append([own, self.encode(vars(value))])
        return written

    def number_of(self, handle: Handle) -> int:
        """Find an object's number in the present fork; look it up again if the fork is new."""
        if self._sock is None:
            self._new_fork()
        if handle.generation == self.generation and handle.talk is self:
            return handle.number
        if handle.name is None:
            raise Gone("this object was made in an earlier check, or by a process that has ended")
        reply = self.ask({"do": "get", "name": handle.name})
        tree = reply.get("value")
        if type(tree) is not list or len(tree) < 3 or tree[0] != "ref" or not is_number(tree[1]):
            raise NameError(f"name {handle.name!r} is not defined")
        handle.talk, handle.number, handle.generation = self, tree[1], self.generation
        if handle.stands_for is not None:
            self.proxies[handle.number] = handle.stands_for
        return handle.number

    def _value(self, reply: Mapping[str, Any]) -> Any:
        """Rebuild what a reply holds."""
        if "value" not in reply:
            odd = reply.get("odd")
            raise Refused(f"the submission gave {phrase_of(odd)}")
        return self._rebuilt(reply["value"])

    def _rebuilt(self, tree: Any, *, exactly: bool = False) -> Any:
        self._filled.clear()
        try:
            value = decode(tree, self.resolve, None if exactly else self._kept)
            while self._unfilled:
                made, handle = self._unfilled.pop()
                if len(self._filled) > MAX_RECORDS:
                    raise BadTree(TOO_MUCH_DATA)
                self._fill(made, handle)
            return value
        except BadTree:
            raise Refused("the submission gave unusual data") from None
        finally:
            self._unfilled.clear()

    def _fill(self, made: Any, handle: Handle) -> None:
        """Give an instance of an instructor's class the attributes that it has in the ward."""
        args = [["ref", handle.number], "__dict__"]
        reply = self.ask(_call("getattr", args, [], self.left()))
        state = decode(reply.get("value"), self.resolve, self._kept)
        if type(state) is not dict or any(type(name) is not str for name in state):
            raise BadTree("no attributes")
        vars(made).clear()
        vars(made).update(_without_methods(made, state))

    def resolve(self, payload: list[Any]) -> object:
        """Make what stands for an object of the ward."""
        if not payload:
            raise BadTree("a reference to nothing")
        first = payload[0]
        if first == "type":
            kind = shared_type(*payload[1:])
            if kind is None:
                raise BadTree("an unknown type")
            return kind
        if first == "plotly":
            return figure_from(decode(payload[1], kept=self._kept))
        if first == "own":
            return self._own_value(*payload[1:4])
        if first == "record":
            number = payload[1]
            if not is_number(number) or number >= len(self._given):
                raise BadTree("no such object")
            return self._given[number][1]
        if not is_number(first) or payload[1] not in KINDS:
            raise BadTree("no reference")
        found = self.proxies.get(first)
        if found is None:
            found = self.proxies[first] = self._proxy(payload)
        is_whole = is_remote(found) or isinstance(found, BaseException | enum.Enum)
        if not is_whole and first not in self._filled:
            self._filled.add(first)
            handle = Handle(self, first, self.generation)
            if type(found).__hash__ in (None, object.__hash__):
                self._unfilled.append((found, handle))
            elif len(self._filled) > MAX_RECORDS:
                raise BadTree(TOO_MUCH_DATA)
            else:
                # A set or a dict may ask at once what it holds.
                self._fill(found, handle)
        return found

    def _own_value(self, value: object, number: object = None, kind: object = None) -> object:
        """Make a number, a text or a tuple of a class of the notebook's: data with methods."""
        if type(number) is str:
            # One that the check has handed over.
            own = self._own_class(number)
            if own is not None and issubclass(own, enum.Enum):
                return _by_value(own, value)
            return value if own is None else _valued(value, own)
        if type(number) is not int or type(kind) is not int or min(number, kind) < 0:
            raise BadTree("no reference")
        made = self.class_of(kind)
        own = self._own_class(made.__name__)
        if own is not None and not self._has_to_do_with(own):
            return value
        if own is not None and issubclass(own, enum.Enum):
            return self._member(own, number)
        # The same object each time, for `is`; but not for another value.
        found = self.proxies.get(number)
        if isinstance(found, VALUES) and isinstance(type(found), RemoteType) and found == value:
            return found
        mine = _valued(value, own or made)
        if mine is not value and own is None:
            vars(mine)[PLACE] = Handle(self, number, self.generation)
            self.proxies[number] = mine
        return mine

    def _proxy(self, payload: list[Any]) -> object:
        number, kind, *rest = payload
        handle = Handle(self, number, self.generation)
        if kind == "exception":
            return self._error(self.ask({"do": "error", "object": number}))
        if kind == "class":
            return self._class(number)
        if kind in ("generator", "iterator"):
            named = rest and type(rest[0]) is str
            return RemoteIterator(handle, rest[0] if named else kind)
        if rest and is_number(rest[0]):
            made = self.class_of(rest[0])
            own = self._own_class(made.__name__)
            if own is not None and not self._has_to_do_with(own):
                return RemoteObject(handle)
            if own is not None and issubclass(own, enum.Enum):
                return self._member(own, number)
            if own is not None:
                return object.__new__(own)
            if isinstance(made, RemoteType):
                return made._wrap(handle)
            return RemoteObject(handle)
        return RemoteFunction(handle) if kind == "function" else RemoteObject(handle)

    def _has_to_do_with(self, own: type) -> bool:
        """Whether the check has to do with an instructor's class.

        Its operators run here, on what a submission chose: not where a number is expected.
        """
        return self._asked is None or own.__name__ in self._named

    def _member(self, own: type[enum.Enum], number: int) -> enum.Enum:
        """Find the member of the instructor's enumeration that an object of the ward is."""
        # A combination of flags has a value, and perhaps no name.
        is_flag = issubclass(own, enum.Flag)
        wanted = "_value_" if is_flag else "_name_"
        reply = self.ask(_call("getattr", [["ref", number], wanted], [], self.left()))
        name = reply.get("value")
        if is_flag:
            return _by_value(own, name)
        if type(name) is not str or name not in own.__members__:
            raise BadTree("no member of an enumeration")
        return own.__members__[name]

    # Classes

    def class_of(self, number: int) -> Any:
        """Make what stands for a class."""
        found = self.proxies.get(number)
        if found is None:
            found = self.proxies[number] = self._class(number)
        return found

    def _class(self, number: int, depth: int = 0) -> Any:
        self._classes += 1
        if self._classes > _MAX_CLASSES or depth > 50:
            raise BadTree("too many classes")
        told = self.ask({"do": "describe", "object": number})
        bases: list[Any] = []
        for base in list_of(told.get("bases"))[:20]:
            if is_number(base) and base != number:
                found = self.proxies.get(base)
                if found is None:
                    found = self.proxies[base] = self._class(base, depth + 1)
                bases.append(found)
        name = str(told.get("name")) if is_name(told.get("name")) else "Unnamed"
        handle = Handle(self, number, self.generation)
        error = error_of(told.get("error"))
        if error is not None:
            library = library_class(told)
            if library is not None and issubclass(library, error):
                return library
        names: dict[str, Any] = {
            "__module__": "__main__",
            "__doc__": text_or_none(told.get("doc")),
        }
        if error is not None:
            errors = tuple(base for base in bases if issubclass(base, BaseException))
            own = self._own_class(name)
            if own is not None and issubclass(own, error):
                # So that what expects the instructor's class meets those derived from it.
                names |= {item: AskedAttribute(item) for item in _members_of(own)}
                errors += (own,)
            if not any(issubclass(base, error) for base in errors):
                errors += (error,)
            names["__getattr__"] = attribute_of_error
            if told.get("says") is True:
                names["__str__"] = text_of_error
            return make_class(RemoteErrorType, name, errors, names)._at(handle, told)
        noted = [pair for pair in list_of(told.get("annotations")) if type(pair) is list]
        names["__annotations__"] = {
            pair[0]: annotation_of(pair[1]) for pair in noted if len(pair) == 2 and is_name(pair[0])
        }
        value = next((base for base in VALUES if base.__name__ == told.get("value")), None)
        if value is not None:
            parents = tuple(base for base in bases if issubclass(base, value))
            return self._class_of_values(parents or (value,), name, names, handle, told)
        fields = dataclass_fields(told.get("fields"))
        if fields is not None:
            names["__dataclass_fields__"] = fields
        claimed = strings_of(told.get("special"))
        special = [item for item in claimed if item in SPECIAL_METHODS]
        if told.get("unhashable") is True:
            names["__hash__"] = None
        names |= {f"__{item}__": SPECIAL_METHODS[item] for item in special}
        names["__slots__"] = ()
        parents = tuple(base for base in bases if not issubclass(base, (*VALUES, BaseException)))
        parents = parents or (RemoteObject,)
        ours = self._base_of_ours(name, told)
        if ours is not None:
            # Whatever it has is asked of the ward all the same.
            names |= {item: AskedAttribute(item) for item in _members_of(ours)} | names
            parents = (*parents, ours)
        is_abstract = any(isinstance(base, abc.ABCMeta) for base in parents)
        kind = RemoteAbstractType if is_abstract else RemoteType
        made = make_class(kind, name, parents, names)._at(handle, told)
        made._set("_compares", "eq" in claimed)
        abstract = [item for item in strings_of(told.get("abstract")) if is_name(item)]
        if abstract:
            made._set("__abstractmethods__", frozenset(abstract))
        return made

    def _class_of_values(
        self,
        parents: tuple[type, ...],
        name: str,
        names: dict[str, Any],
        handle: Handle,
        told: dict[str, Any],
    ) -> Any:
        """Make a class that derives from a kind of data, and asks for what that has not.

        What it holds, and how it compares and counts, is the data's own.
        """
        names |= {
            "__getattr__": attribute_of_value,
            "__copy__": lambda self: self,
            "__deepcopy__": lambda self, memo: self,
            "__reduce_ex__": refuse_pickling,
        }
        if told.get("says") is True:
            names["__str__"] = text_of_value
        if parents == (tuple,) and told.get("items") is not None:
            parents = (named_tuple(name, told["items"]),)
        return make_class(RemoteType, name, parents, names)._at(handle, told)

    def _base_of_ours(self, name: str, told: Mapping[str, Any]) -> type | None:
        """Find the class of this side that a class of the ward is, to stand behind it."""
        own = abc.ABC if (told.get("module"), name) == ("abc", "ABC") else self._own_class(name)
        return own if own is not None and _may_be_a_base(own) else None

    # Calls

    def call(
        self, function: Handle | str, args: Sequence[Any], kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Call a function of the ward, or have it do an operation.

        Parameters
        ----------
        function : Handle or str
            The function, or the name of an operation.
        args, kwargs : sequence, mapping
            Data and proxies. A list, a dict, a set, an array or a table that the call changes is
            changed here too.

        Returns
        -------
        object
            Data of exact types, or a proxy.
        """
        __tracebackhide__ = True
        kwargs = kwargs or {}
        asked = function if isinstance(function, str) else self.number_of(function)
        seconds = self.left()
        self._given = []
        if asked not in _READING:
            self.epoch += 1
        given, named = self._arguments(args, kwargs)
        request = _call(asked, given, named, seconds)
        request["records"] = self._records()
        if self._seeds:
            request["seeds"] = seeds.take()
        request["warns"] = are_warnings_recorded()
        reply = self.ask(request, seconds)
        self._print(reply.get("printed"))
        if request["warns"]:
            warn_again(reply.get("warned"))
        for place, tree in self._changes(reply):
            value = kwargs.get(place) if isinstance(place, str) else _at(args, place)
            if value is not None:
                self._take_over(value, tree)
        self._take_over_records(reply.get("records"))
        if reply.get("slow"):
            raise TimeoutError("the submission took too long and was stopped")
        if type(reply.get("raised")) is dict:
            self._raise(reply["raised"], may_stop=asked == "next")
        return self._value(reply)

    def _arguments(
        self, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[list[Any], list[Any]]:
        __tracebackhide__ = True
        given, named = [], []
        for value in args:
            given.append(self.encode(value))
        for name, value in kwargs.items():
            named.append([name, self.encode(value)])
        return given, named

    def _print(self, text: object) -> None:
        """Hand on what a call printed, if the check wants to see it."""
        if type(text) is str and sys.stdout is not self.own_stdout:
            sys.stdout.write(text)

    def _changes(self, reply: Mapping[str, Any]) -> Iterator[tuple[int | str, Any]]:
        for pair in list_of(reply.get("changed")):
            if type(pair) is list and len(pair) == 2 and type(pair[0]) in (int, str):
                yield pair[0], pair[1]

    def _take_over(self, given: Any, tree: Any) -> None:
        try:
            # An array keeps its type of numbers, as the check made it.
            become(given, self._rebuilt(tree, exactly=type(given).__module__ == "numpy"))
        except (ValueError, TypeError):
            raise Refused("the submission made unusual data of an argument") from None

    def _take_over_records(self, records: object) -> None:
        """Give our instances the attributes that a call gave its own."""
        for pair in list_of(records):
            if type(pair) is not list or len(pair) != 2 or not is_number(pair[0]):
                continue
            if pair[0] < len(self._given):
                value = self._given[pair[0]][1]
                state = self._rebuilt(pair[1])
                if type(state) is dict:
                    become(vars(value), _without_methods(value, state))

    def calls(
        self,
        function: Handle,
        cases: Sequence[tuple[tuple[Any, ...], Mapping[str, Any]]],
        seconds: float,
        once_slow: float,
        in_all: float,
    ) -> list[Answer]:
        """Call one function many times.

        Parameters
        ----------
        function : Handle
            What to call.
        cases : sequence of (args, kwargs)
            What to call it with, in this order.
        seconds, once_slow : float
            Time for a call, and for each after the first that took too long.
        in_all : float
            Time for all.

        Returns
        -------
        list of Answer
            One per case. A call that ends the process, or that does not end, costs itself alone:
            a new fork goes on with the next. Where two processes answer, as a function that forks
            leaves them, nobody can tell which of them is the function: all answers are void.
        """
        answers: list[Answer] = []
        self.epoch += 1
        end = time.monotonic() + min(in_all, self.left())
        trees = [self._case(args, kwargs) for args, kwargs in cases]
        while len(answers) < len(cases):
            left = end - time.monotonic()
            if left <= 0:
                answers += [Answer("skipped")] * (len(cases) - len(answers))
                break
            try:
                number = self.number_of(function)
                request = {"function": number, "seconds": seconds, "once_slow": once_slow}
                self._send_cases(request | {"in_all": left}, trees[len(answers) :])
                first = len(answers)
                while len(answers) < len(cases):
                    reply = self.receive(min(seconds, max(end - time.monotonic(), 0)))
                    if reply.get("case") != len(answers) - first:
                        self._end_as_unasked()
                    answers.append(self._answer(reply, *cases[len(answers)]))
                    if answers[-1].kind == "slow":
                        seconds = min(seconds, once_slow)
            except TimeoutError:
                answers.append(Answer("slow"))
                seconds = min(seconds, once_slow)
            except Unasked:
                return [Answer("ended")] * len(cases)
            except Gone:
                answers.append(Answer("ended"))
        return answers

    def _send_cases(self, request: dict[str, Any], trees: list[Any]) -> None:
        """Send what to call with; what this fork has been sent before, by its number."""
        new = []
        for tree in trees:
            if id(tree) not in self._sent:
                self._sent[id(tree)] = (len(self._sent), tree)
                new.append(tree)
        order = [self._sent[id(tree)][0] for tree in trees]
        self.send(request | {"do": "calls", "calls": new, "order": order})

    def _case(self, args: Any, kwargs: Any) -> Any:
        """Write the arguments of a call; those of an exam's cases only once."""
        key = (id(args), id(kwargs))
        known = _trees.get(key)
        if known is not None:
            return known[2]
        self._referred = False
        self._given = []
        trees = self._arguments(args, kwargs)
        if self._given:
            raise Refused("an object of a class cannot be handed to a submission in an exam")
        if not self._referred:
            if len(_trees) > 10_000:
                _trees.clear()
            # Kept with the arguments themselves, so that no others get their place in memory.
            _trees[key] = (args, kwargs, trees)
        return trees

    def _answer(self, reply: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Answer:
        if reply.get("slow"):
            return Answer("slow")
        if reply.get("skipped"):
            return Answer("skipped")
        told = reply.get("raised")
        if type(told) is dict:
            error = error_of(told.get("kind"))
            return Answer(
                "raised",
                error=(error or Exception).__name__,
                messages=tuple(messages_of(told)),
                line=self._line_within(told.get("line")),
                own=told.get("own") is not False,
                left=told.get("left") is True,
                asked=told.get("asked") is True,
            )
        if "value" not in reply:
            odd = reply.get("odd")
            return Answer("odd", odd=odd if type(odd) is str and odd in PHRASES else "")
        try:
            value = decode(reply["value"], kept=self._kept)
            changes = {place: decode(tree, kept=self._kept) for place, tree in self._changes(reply)}
        except BadTree:
            return Answer("odd")
        if not changes:
            return Answer("value", value=value)
        return Answer(
            "value",
            value=value,
            args=tuple(changes.get(at, item) for at, item in enumerate(args)),
            kwargs={name: changes.get(name, item) for name, item in kwargs.items()},
        )

    # Exceptions

    def _raise(self, told: dict[str, Any], *, may_stop: bool = False) -> NoReturn:
        __tracebackhide__ = True
        error = self._error(told)
        if isinstance(error, _ENDS_A_LOOP) and not (may_stop or self._expects(type(error))):
            # It would end the check's own loop, such as `all(map(function, inputs))`.
            error = RuntimeError(f"the submission raised {builtin_of(type(error)).__name__}")
        frames = [frame for frame in map(self._frame, list_of(told.get("frames"))) if frame]
        trace: types.TracebackType | None = None
        for frame in reversed(frames[-_MAX_FRAMES:]):
            trace = types.TracebackType(trace, frame, frame.f_lasti, frame.f_lineno)
        raise error.with_traceback(trace)

    def _error(self, told: dict[str, Any]) -> BaseException:
        kind: Any = error_of(told.get("kind")) or Exception
        number = told.get("class")
        if is_number(number):
            try:
                made = self.class_of(cast(int, number))
            except (BadTree, RuntimeError, TimeoutError):
                made = None
            # The check knows the class: it may expect it. Otherwise its name is the learner's
            # word, and the nearest built-in class says enough.
            if isinstance(made, type) and issubclass(made, BaseException):
                is_known = self._names(made) or self._names(made, self._expected)
                kind = self._own_error(made) or (made if is_known else kind)
        return self._with_state(self._made_error(kind, told), told)

    def _with_state(self, error: BaseException, told: dict[str, Any]) -> BaseException:
        """Give an exception the attributes that it has in the ward, where they are data."""
        if is_number(told.get("object")) and isinstance(type(error), RemoteErrorType):
            vars(error)[PLACE] = Handle(self, told["object"], self.generation)
        # What prints a SyntaxError opens the file that its attributes name.
        if "state" not in told or isinstance(error, SyntaxError):
            return error
        try:
            state = self._rebuilt(told["state"])
        except (Refused, Gone, TimeoutError):
            return error
        for name, item in state.items() if type(state) is dict else ():
            if _may_hold(error, name) and not callable(item):
                with contextlib.suppress(AttributeError, TypeError):
                    setattr(error, name, item)
        return error

    def _made_error(self, kind: Any, told: dict[str, Any]) -> BaseException:
        """Make an exception of a class of this side."""
        if told.get("asked") is True:
            return RuntimeError("the submission asked for input, and nobody is there to answer")
        if kind is KeyboardInterrupt:
            kind = RuntimeError
        args = []
        for tree in list_of(told.get("args"))[:10]:
            try:
                args.append(decode(tree, kept=self._kept))
            except BadTree:
                args.append("?")
        if issubclass(kind, SyntaxError):
            # What prints it opens the file that its other arguments name, and shows a line of it.
            args = [str(item) for item in args[:1]]
        if kind.__module__ != "builtins" and not isinstance(kind, RemoteErrorType):
            # An instructor's or a library's: it may ask for other arguments than it keeps.
            error: BaseException = kind.__new__(kind, *args)
            return error
        if isinstance(kind, RemoteErrorType):
            return kind._here(*args)
        try:
            return kind(*args)  # type: ignore[no-any-return]  # a class of exceptions
        except Exception:
            return Exception(*args)

    def _own_error(self, made: type) -> type[BaseException] | None:
        """Find the instructor's exception that a class of the ward is, or what derives from one."""
        own = self._own_class(made.__name__)
        if own is not None and issubclass(own, BaseException):
            return own
        bases = (base for base in made.__mro__ if isinstance(base, RemoteErrorType))
        derives = any(self._own_class(base.__name__) is not None for base in bases)
        return cast("type[BaseException]", made) if derives else None

    def _names(self, made: type, words: Container[str] | None = None) -> bool:
        """Whether the check's text names a class, or one that it derives from."""
        words = self._named if words is None else words
        return any(
            base.__name__ in words
            for base in made.__mro__
            if isinstance(base, RemoteType)
            or (issubclass(base, BaseException) and base not in BUILT_IN_ERRORS)
        )

    def _expects(self, made: type) -> bool:
        """Whether the check catches a class of exceptions by its name."""
        # Not by a class above those: `Exception` catches what it becomes as well.
        bases = [base for base in made.__mro__ if issubclass(base, _ENDS_A_LOOP)]
        return any(base.__name__ in self._expected for base in bases)

    def may_operate(self, made: type, operation: str) -> bool:
        """Whether objects of a class may be asked for the result of an operation."""
        if self._asked is None:
            return self._names(made)
        if operation in _LOOKS and isinstance(made, RemoteType):
            library = made._library()
            if library is not None and hasattr(library, f"__{operation}__"):
                return True
        wanted = _MEMBERS.get(operation, frozenset({f"__{operation}__"}))
        return any(
            operation in _UNCOMPARED if members is None else members & wanted
            for members in self._members_of(made)
        )

    def may_call(self, proxy: object, method: str) -> bool:
        """Whether an object may be asked by a method.

        Of methods that data has, too, those alone that the assignment's own classes have: an object
        could otherwise say itself that it equals the right table.
        """
        if self.is_guarded(method):
            return False
        if not is_method_of_data(method):
            return True
        made = proxy if isinstance(proxy, type) else type(proxy)
        if self._asked is None:
            return self._names(made)
        if method in self._asked.methods:
            return True
        library = made._library() if isinstance(made, RemoteType) else None
        is_unknown = any(members is None for members in self._members_of(made))
        return (is_unknown or hasattr(library, method)) and method in _READING_METHODS

    def is_guarded(self, name: str) -> bool:
        """Whether only a class that is given has a method or a property of this name."""
        return self._asked is not None and name in self._asked.guarded

    def _members_of(self, made: type) -> Iterator[Members]:
        """List the members of those of a class's bases that the check has to do with."""
        assert self._asked is not None
        for base in made.__mro__:
            if isinstance(base, RemoteType) and base.__name__ in self._asked.classes:
                yield self._asked.classes[base.__name__]

    def _line_within(self, told: object, cell: int | None = None) -> int | None:
        """Read a line number, if the cell, or any at all, has that many lines.

        A function may fail at a line of its choosing, and the number reaches the learner's page.
        """
        line = line_of(told)
        if line is None or self.lines is None:
            return line
        most = max(self.lines.values(), default=0) if cell is None else self.lines.get(cell, 0)
        return line if line <= most else None

    def _frame(self, told: Any) -> types.FrameType | None:
        """Make a frame for a traceback, which says where in the learner's cell it was."""
        if type(told) is not list or len(told) != 3:
            return None
        cell, line, name = told
        if not (is_number(cell) and self._line_within(line, cell)):
            return None
        code = _RAISE.replace(
            co_filename=self._cell_file(cell, line),
            co_firstlineno=line,
            co_name=name if is_name(name) else "<module>",
            co_qualname=name if is_name(name) else "<module>",
        )
        trace = None
        try:
            exec(code, {"__name__": "__main__"})
        except RuntimeError as error:
            trace = error.__traceback__
        return trace.tb_next.tb_frame if trace and trace.tb_next else None


def _call(
    function: int | str, args: list[Any], kwargs: list[Any], seconds: float
) -> dict[str, Any]:
    return {
        "do": "call",
        "function": function,
        "args": args,
        "kwargs": kwargs,
        "seconds": max(seconds - GRACE_SECONDS, seconds / 2),
    }


def _global_names(code: types.CodeType) -> set[str]:
    names = set(code.co_names)
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            names |= _global_names(inner)
    return names


def _by_value(own: type[enum.Enum], value: object) -> enum.Enum:
    """Find the member of an enumeration by its value, combined flags included."""
    try:
        return own(value)
    except (ValueError, TypeError):
        raise BadTree("no member of an enumeration") from None


def _may_be_a_base(kind: type) -> bool:
    """Whether a class is one of Python's plainest, which another can be put before."""
    return (
        not issubclass(kind, BaseException | enum.Enum)
        and type(kind) in (type, abc.ABCMeta)
        and all(base.__module__ in ("__main__", "abc") for base in kind.__mro__[:-1])
    )


def _members_of(kind: type) -> set[str]:
    """Name what a class and its bases have, but for what Python asks of it."""
    bases = [base for base in kind.__mro__ if base.__module__ in ("__main__", "abc")]
    names = {item for base in bases for item in vars(base)} - {"_abc_impl"}
    return {item for item in names if not item.startswith("__")}


def _may_hold(error: BaseException, name: object) -> bool:
    """Whether an exception of the ward may give one of ours an attribute of this name."""
    # Nor what IPython asks an exception for.
    if not is_name(name) or str(name).startswith(_PROTOCOLS):
        return False
    kind = type(error)
    # What Python itself reads of an exception is read of its arguments alone.
    if hasattr(builtin_of(kind), str(name)):
        return isinstance(error, OSError) and name == "filename"
    return not callable(inspect.getattr_static(kind, str(name), None))


def _without_methods(value: object, state: dict[str, Any]) -> dict[str, Any]:
    """Leave out what would stand in the way of a trusted class, or speak for data.

    Not what libraries ask objects for, either: `__array_interface__` is an address in memory.
    """
    kept = {}
    for name, item in state.items():
        own = inspect.getattr_static(type(value), name, None)
        is_asked = callable(item) and (callable(own) or is_method_of_data(name))
        if not (is_asked or name.startswith(_PROTOCOLS) or isinstance(own, _WORKED_OUT)):
            kept[name] = item
    return kept


def _has_plain_state(value: object) -> bool:
    """Whether an instance of a trusted class is no more than its attributes."""
    kind = type(value)
    return kind.__new__ is object.__new__ and hasattr(value, "__dict__") and not callable(value)


def _valued(value: Any, kind: type) -> Any:
    """Make a plain value one of a class that derives from its own."""
    base: Any = next((base for base in VALUES if isinstance(value, base)), None)
    if base is None or not issubclass(kind, base) or issubclass(kind, enum.Enum):
        return value
    return base.__new__(kind, value)


def write_ahead(cases: Iterable[tuple[tuple[Any, ...], Mapping[str, Any]]]) -> None:
    """Write the arguments of an exam's cases once, for all examiners that are forked afterwards.

    Parameters
    ----------
    cases : iterable of (args, kwargs)
        The very objects that the exam will call with.
    """
    talk = Conversation()
    for args, kwargs in cases:
        # What is no data can only be written for a certain fork of a ward.
        with contextlib.suppress(Refused):
            talk._case(args, kwargs)


def _known_function(value: Any) -> tuple[str, str] | None:
    """Name a function that every Python has, by which the ward finds its own."""
    if not callable(value):
        return None
    name = getattr(value, "__name__", None)
    owner = getattr(value, "__objclass__", None)
    if type(owner) is type and name_of_type(owner) is not None and type(name) is str:
        module, kind = name_of_type(owner) or ("", "")
        return module, f"{kind}.{name}"
    for module in _KNOWN_MODULES:
        place = sys.modules.get(module)
        if type(name) is str and place is not None and vars(place).get(name) is value:
            return module, name
    return None


def _at(items: Sequence[Any], place: int) -> Any:
    return items[place] if 0 <= place < len(items) else None
