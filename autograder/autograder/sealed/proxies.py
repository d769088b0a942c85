"""What stands for a submission's functions, classes and objects in the process that judges them.

A proxy holds a number, and asks the ward whenever something is wanted of it. What comes back is
data of exact types, another proxy, or an exception of this side. Nothing that a learner wrote runs
here, and no answer is trusted further than an answer can be: a proxy is never equal to data.
"""

from __future__ import annotations

import abc
import inspect
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, SupportsIndex, cast

from autograder.sealed.told import (
    code_of,
    library_class,
    signature_of,
    strings_of,
    text_or_none,
)
from autograder.ward.serve import ARITHMETIC, BUILT_IN_ERRORS
from autograder.ward.values import (
    VALUES,
    is_kind_of_data,
)

if TYPE_CHECKING:
    from autograder.sealed.conversation import Answer, Conversation

# The ward's own alarm comes first; this much later its fork is given up.
GRACE_SECONDS = 1.0
MAX_DRAINED = 100_000
# How the names begin that IPython asks objects for.
PROTOCOLS = ("_ipython_", "_render_", "_repr_")

# Attributes with two underscores that are asked for. Others are protocols between libraries, and
# some of those hand out addresses in memory.
_ASKED_SPECIAL = (
    "__annotations__", "__dataclass_fields__", "__dict__", "__name__", "__qualname__", "__slots__",
    "__wrapped__",
)  # fmt: skip


class Gone(RuntimeError):
    """The submission's process ended, or stopped answering."""


class Unasked(Gone):
    """The submission answered twice, or what nobody asked, as two processes of it would."""


class Refused(Exception):
    """Something that a check cannot do with a submission.

    It is no `TypeError`, which a check may expect of a submission.
    """


@dataclass
class Handle:
    """Where an object is: its number, and in which fork of the ward."""

    talk: Conversation
    number: int
    generation: int
    name: str | None = None
    # For a class: what stands for it, so that it does again in the next fork.
    stands_for: object = None


# Where an exception keeps which object of the ward it is.
PLACE = "<its place in the ward>"
_DATA_EXPECTED = "the submission gave an object of a class of its own where data is expected"


def builtin_of(kind: type) -> type:
    """Find the nearest built-in class of a class of exceptions.

    Parameters
    ----------
    kind : type
        A class of exceptions.

    Returns
    -------
    type
    """
    return next(base for base in kind.__mro__ if base in BUILT_IN_ERRORS)


# Proxies


def handle_of(value: object) -> Handle | None:
    """Find where an object of the ward is that a proxy stands for.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    Handle or None
        None for what is no proxy.
    """
    kind = type(value)
    if issubclass(kind, RemoteFunction | RemoteObject | RemoteIterator):
        return object.__getattribute__(value, "_handle")  # type: ignore[no-any-return]
    if issubclass(kind, RemoteType | RemoteErrorType):
        return type.__getattribute__(value, "_place")  # type: ignore[no-any-return]
    return None


def in_ward(operation: str, *args: Any) -> Any:
    """Have the submission's process do an operation, such as its own ``==``.

    Parameters
    ----------
    operation : str
        A name of `autograder.ward.serve.OPERATIONS`, such as ``"eq"``.
    *args : object
        Data and proxies; one at least must be a proxy.

    Returns
    -------
    object
        What the submission answers: of its ``==`` it may be anything.
    """
    handle = next(handle for handle in map(handle_of, args) if handle is not None)
    return handle.talk.call(operation, args)


def is_remote(value: object) -> bool:
    """Whether a value stands for an object of the ward."""
    return handle_of(value) is not None


def _attribute(proxy: object, name: str, of: type | None = None) -> Any:
    """Ask for an attribute of an object, or, where it is not its proxy's, of a class."""
    __tracebackhide__ = True
    handle = handle_of(proxy)
    assert handle is not None
    if (name.startswith("__") and name not in _ASKED_SPECIAL) or name.startswith(PROTOCOLS):
        raise AttributeError(f"{type(proxy).__name__!r} object has no attribute {name!r}")
    value = handle.talk.call("getattr", [proxy, name])
    is_asked = callable(value) or handle.talk.is_guarded(name)
    if is_asked and not handle.talk.may_call(of or proxy, name):
        raise Refused(_DATA_EXPECTED)
    return value


def refuse_pickling(self: object, protocol: SupportsIndex = 0) -> NoReturn:
    """Refuse to be pickled, as what is read back could be nothing but a number.

    Raises
    ------
    Refused
        Always.
    """
    raise Refused("what stands for an object of a submission cannot be pickled")


class RemoteFunction:
    """Stands for a function or a method of the ward."""

    __slots__ = ("_described", "_handle")

    def __init__(self, handle: Handle) -> None:
        object.__setattr__(self, "_handle", handle)
        object.__setattr__(self, "_described", None)

    # `inspect` takes it for a function.
    @property  # type: ignore[misc]  # of another class than it is
    def __class__(self) -> Any:
        """The class that others take it for."""
        return types.FunctionType

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it, in the ward."""
        __tracebackhide__ = True
        return self._handle.talk.call(self._handle, args, kwargs)

    def __autograder_calls__(
        self,
        cases: Sequence[tuple[tuple[Any, ...], Mapping[str, Any]]],
        seconds: float,
        once_slow: float,
        in_all: float,
    ) -> list[Answer]:
        """Call it many times; see `Conversation.calls`."""
        handle: Handle = self._handle
        return handle.talk.calls(handle, cases, seconds, once_slow, in_all)

    def _told(self, *, source: bool = False) -> dict[str, Any]:
        described: dict[str, Any] | None = self._described
        if described is None or (source and "source" not in described):
            talk = self._handle.talk
            request = {"do": "describe", "object": talk.number_of(self._handle), "source": source}
            described = talk.ask(request)
            if source:
                described.setdefault("source", None)
            object.__setattr__(self, "_described", described)
        return described

    @property
    def __name__(self) -> str:
        name = self._told().get("name")
        return name if type(name) is str else "function"

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]  # of the learner's function
        return text_or_none(self._told().get("doc"))

    @property
    def __module__(self) -> str:  # type: ignore[override]  # of the learner's function
        return "__main__"

    @property
    def __signature__(self) -> inspect.Signature | None:
        return signature_of(self._told().get("signature"))

    @property
    def __annotations__(self) -> dict[str, Any]:  # type: ignore[override]  # of the learner's
        signature = self.__signature__
        if signature is None:
            return {}
        noted = {
            name: parameter.annotation
            for name, parameter in signature.parameters.items()
            if parameter.annotation is not parameter.empty
        }
        if signature.return_annotation is not signature.empty:
            noted["return"] = signature.return_annotation
        return noted

    @property
    def __defaults__(self) -> tuple[Any, ...] | None:
        signature = self.__signature__
        parameters = signature.parameters.values() if signature else ()
        return tuple(
            item.default
            for item in parameters
            if item.default is not item.empty and item.kind is not item.KEYWORD_ONLY
        ) or None  # fmt: skip

    @property
    def __kwdefaults__(self) -> dict[str, Any] | None:
        signature = self.__signature__
        parameters = signature.parameters.items() if signature else ()
        return {
            name: item.default
            for name, item in parameters
            if item.default is not item.empty and item.kind is item.KEYWORD_ONLY
        } or None

    @property
    def __code__(self) -> types.CodeType:
        told = self._told(source=True)
        if type(told.get("code")) is not dict:
            raise AttributeError("'builtin_function_or_method' object has no attribute '__code__'")
        return code_of(told["code"], self.__name__, told.get("source"))

    def __getattr__(self, name: str) -> Any:
        __tracebackhide__ = True
        if name == "__qualname__":
            told = self._told().get("qualname")
            return told if type(told) is str else self.__name__
        return _attribute(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        __tracebackhide__ = True
        self._handle.talk.call("setattr", [self, name, value])

    def __eq__(self, other: object) -> bool:
        return self is other or _same_place(self, other)

    def __hash__(self) -> int:
        return hash(RemoteFunction)

    def __copy__(self) -> RemoteFunction:
        return self

    def __deepcopy__(self, memo: object) -> RemoteFunction:
        return self

    __reduce_ex__ = refuse_pickling

    def __repr__(self) -> str:
        return f"<function {self.__name__} of the submission>"


class AskedAttribute:
    """Asks the ward for an attribute that a class of this side has, too."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, thing: object, owner: type) -> Any:
        __tracebackhide__ = True
        if thing is None and "_place" not in vars(owner):
            return self  # the class is being made
        if isinstance(thing, BaseException):
            return attribute_of_error(thing, self._name)
        return _attribute(owner if thing is None else thing, self._name)


class RemoteType(type):
    """Stands for a class of the ward: a class of this side, with its names asked for."""

    _place: Handle
    _described: dict[str, Any]
    _compares: bool

    def _at(cls, handle: Handle, told: dict[str, Any]) -> RemoteType:
        handle.stands_for = cls
        cls._set("_place", handle)
        cls._set("_described", told)
        return cls

    def _set(cls, name: str, value: object) -> None:
        type.__setattr__(cls, name, value)

    def _library(cls) -> type | None:
        """Find the class of a library of this side that it says it is, if that is no data's."""
        found = library_class(cls._described)
        # Objects of these arrive as data, and those that do not are not what they say.
        return None if found is None or is_kind_of_data(found) else found

    def _operation(cls, name: str, *args: Any) -> Any:
        """Have the ward do what a class of classes can do, such as an enumeration's length."""
        __tracebackhide__ = True
        _allow(cls._place.talk, cls, name)
        return cls._place.talk.call(name, [cls, *args])

    def __getitem__(cls, name: Any) -> Any:
        __tracebackhide__ = True
        return cls._operation("getitem", name)

    def __iter__(cls) -> Iterator[Any]:
        __tracebackhide__ = True
        return cast(Iterator[Any], cls._operation("iter"))

    def __len__(cls) -> int:
        __tracebackhide__ = True
        return cast(int, cls._operation("len"))

    def __contains__(cls, item: object) -> bool:
        __tracebackhide__ = True
        return bool(cls._operation("contains", item))

    def __bool__(cls) -> bool:
        return True

    def _wrap(cls, handle: Handle) -> RemoteObject:
        made: RemoteObject = object.__new__(cast(Any, cls))
        object.__setattr__(made, "_handle", handle)
        return made

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make an object of the class, in the ward."""
        __tracebackhide__ = True
        return cls._place.talk.call(cls._place, args, kwargs)

    def __autograder_calls__(
        cls,
        cases: Sequence[tuple[tuple[Any, ...], Mapping[str, Any]]],
        seconds: float,
        once_slow: float,
        in_all: float,
    ) -> list[Answer]:
        """Call it many times; see `Conversation.calls`."""
        return cls._place.talk.calls(cls._place, cases, seconds, once_slow, in_all)

    def __getattr__(cls, name: str) -> Any:
        __tracebackhide__ = True
        if name == "__signature__":
            return signature_of(cls._described.get("signature"))
        return _attribute(cls, name)

    def __setattr__(cls, name: str, value: Any) -> None:
        __tracebackhide__ = True
        cls._place.talk.call("setattr", [cls, name, value])

    def __delattr__(cls, name: str) -> None:
        __tracebackhide__ = True
        cls._place.talk.call("delattr", [cls, name])

    def __dir__(cls) -> list[str]:
        return strings_of(cls._place.talk.call("dir", [cls]))

    __reduce_ex__ = refuse_pickling


def make_class(
    kind: type[RemoteType], name: str, parents: tuple[type, ...], names: dict[str, Any]
) -> Any:
    """Make a class; where several parents do not go together, of the first alone.

    Parameters
    ----------
    kind : type
        Its class.
    name : str
        What it is called.
    parents : tuple of type
        Its bases.
    names : dict
        What it has.

    Returns
    -------
    type
    """
    try:
        return kind(name, parents, names)
    except TypeError:
        return kind(name, parents[:1], names)


def attribute_of_error(self: BaseException, name: str) -> Any:
    """Ask for what an exception of the learner's has beside data, such as a method.

    Parameters
    ----------
    self : BaseException
        Made on this side.
    name : str
        Of the attribute.

    Returns
    -------
    object
    """
    __tracebackhide__ = True
    handle = vars(self).get(PLACE)
    if handle is None or name.startswith("_"):
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
    return _attribute(RemoteObject(handle), name, of=type(self))


def text_of_error(self: BaseException) -> str:
    """Ask for the text of an exception whose class has a `__str__` of its own.

    Parameters
    ----------
    self : BaseException
        Made on this side.

    Returns
    -------
    str
    """
    __tracebackhide__ = True
    handle = vars(self).get(PLACE)
    if handle is None:
        return BaseException.__str__(self)
    return str(RemoteObject(handle))


def handle_of_value(value: object) -> Handle | None:
    """Find where a number, a text or a tuple of a learner's class is.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    Handle or None
        None for other values.
    """
    if not isinstance(type(value), RemoteType) or not isinstance(value, VALUES):
        return None
    return vars(value).get(PLACE)


def attribute_of_value(self: Any, name: str) -> Any:
    """Ask for what a number, a text or a tuple of a learner's class has beside its base's.

    Parameters
    ----------
    self : object
        The value.
    name : str
        Of the attribute.

    Returns
    -------
    object
    """
    __tracebackhide__ = True
    handle = handle_of_value(self)
    if handle is None:
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
    return _attribute(RemoteObject(handle), name, of=type(self))


def text_of_value(self: Any) -> str:
    """Ask for the text of a value whose class has a `__str__` of its own.

    Parameters
    ----------
    self : object
        The value.

    Returns
    -------
    str
    """
    handle = handle_of_value(self)
    return "" if handle is None else str(RemoteObject(handle))


class RemoteAbstractType(RemoteType, abc.ABCMeta):
    """Stands for a class of the ward that derives from an instructor's abstract one."""

    def __setattr__(cls, name: str, value: Any) -> None:
        if name in ("_abc_impl", "__abstractmethods__"):
            cls._set(name, value)
        else:
            super().__setattr__(name, value)


class RemoteErrorType(RemoteType):
    """Stands for a class of exceptions of the ward; its instances are made and raised here."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make an exception: in the ward, and of this side what it is there."""
        __tracebackhide__ = True
        made = super().__call__(*args, **kwargs)
        if not isinstance(made, BaseException):
            raise Refused("the submission's class of exceptions makes something else")
        return made

    def _here(cls, *args: Any) -> BaseException:
        """Make an exception of this side, with these arguments."""
        if any(base.__module__ == "__main__" and type(base) is type for base in cls.__mro__):
            # An instructor's `__init__` may ask for other arguments than it keeps.
            return cast(BaseException, cast(Any, cls).__new__(cls, *args))
        try:
            return cast(BaseException, type.__call__(cls, *args))
        except Exception:
            return Exception(*args)


class RemoteObject:
    """Stands for an object of the ward.

    Its attributes and methods are asked for. It equals no data, and another object only if both are
    of one class that defines equality, and hold the same. Operators work for objects of a class
    that the check names; for others they raise an error, as data was expected.
    """

    __slots__ = ("_handle",)
    _compares = False
    _handle: Handle

    def __init_subclass__(cls) -> None:
        """Keep an instructor's base class from taking note of what stands for another."""

    def __init__(self, handle: Handle) -> None:
        object.__setattr__(self, "_handle", handle)

    def __getattr__(self, name: str) -> Any:
        __tracebackhide__ = True
        return _attribute(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        __tracebackhide__ = True
        self._handle.talk.call("setattr", [self, name, value])

    def __delattr__(self, name: str) -> None:
        __tracebackhide__ = True
        self._handle.talk.call("delattr", [self, name])

    def __dir__(self) -> list[str]:
        return strings_of(self._handle.talk.call("dir", [self]))

    @property
    def __dict__(self) -> Any:  # type: ignore[override]  # of the learner's object
        """What it holds, asked for."""
        __tracebackhide__ = True
        return _attribute(self, "__dict__")

    def __eq__(self, other: object) -> bool:
        __tracebackhide__ = True
        if self is other or _same_place(self, other):
            return True
        if type(self) is not type(other) or not type(self)._compares:
            return False
        mine, theirs = self._state(), other._state()
        # Without anything to compare, it is the instructor's class alone that may say so.
        return bool(mine == theirs) and (
            bool(mine) or self._handle.talk.may_operate(type(self), "eq")
        )

    def __ne__(self, other: object) -> bool:
        __tracebackhide__ = True
        return not self == other

    def __hash__(self) -> int:
        return hash(type(self).__name__)

    def __autograder_calls__(
        self,
        cases: Sequence[tuple[tuple[Any, ...], Mapping[str, Any]]],
        seconds: float,
        once_slow: float,
        in_all: float,
    ) -> list[Answer]:
        """Call it many times; see `Conversation.calls`."""
        return self._handle.talk.calls(self._handle, cases, seconds, once_slow, in_all)

    def _state(self) -> dict[str, Any]:
        """Read what the object holds, for a comparison on this side."""
        try:
            state = _attribute(self, "__dict__")
        except AttributeError:
            state = {}
            slots = _attribute(self, "__slots__")
            for name in [slots] if isinstance(slots, str) else strings_of(slots):
                state[name] = _attribute(self, name)
        return state if isinstance(state, dict) else {}

    def __repr__(self) -> str:
        __tracebackhide__ = True
        return str(self._handle.talk.call("repr", [self]))

    def __str__(self) -> str:
        __tracebackhide__ = True
        return str(self._handle.talk.call("str", [self]))

    def __format__(self, spec: str) -> str:
        __tracebackhide__ = True
        return str(self._handle.talk.call("format", [self, spec]))

    def __copy__(self) -> Any:
        return self._handle.talk.call("copy", [self])

    def __deepcopy__(self, memo: object) -> Any:
        return self._handle.talk.call("deepcopy", [self])

    __reduce_ex__ = refuse_pickling


_ITERATORS: dict[str, type] = {
    "enumerate": enumerate,
    "filter": filter,
    "generator": types.GeneratorType,
    "map": map,
    "reversed": reversed,
    "zip": zip,
}


class RemoteIterator:
    """Stands for a generator or another iterator of the ward."""

    __slots__ = ("_count", "_done", "_drained", "_handle", "_items", "_kind")

    def __init__(self, handle: Handle, kind: str) -> None:
        self._handle = handle
        self._kind = kind
        self._items: list[Any] = []
        self._count = 1
        self._drained = 0
        self._done = False

    @property  # type: ignore[misc]  # of another class than it is
    def __class__(self) -> Any:
        """The class that others take it for."""
        return _ITERATORS.get(self._kind, RemoteIterator)

    def __iter__(self) -> RemoteIterator:
        return self

    def __next__(self) -> Any:
        __tracebackhide__ = True
        if not self._items and not self._done:
            self._fetch()
        if not self._items:
            raise StopIteration
        return self._items.pop(0)

    def _fetch(self) -> None:
        __tracebackhide__ = True
        if self._drained >= MAX_DRAINED:
            raise Refused(f"the submission's iterator gave more than {MAX_DRAINED} items")
        talk = self._handle.talk
        talk.epoch += 1
        seconds = talk.left()
        reply = talk.ask(
            {
                "do": "take",
                "object": talk.number_of(self._handle),
                "count": self._count,
                "seconds": max(seconds - GRACE_SECONDS, seconds / 2),
            },
            seconds,
        )
        talk._print(reply.get("printed"))
        items = talk._value(reply)
        if type(items) is not list or len(items) > self._count:
            raise Refused("the submission gave unusual data")
        self._items = items
        self._drained += len(items)
        # One by one at first, as a check may want few of many.
        if self._drained >= 4:
            self._count = min(self._count * 2, 256)
        self._done = reply.get("done") is not False
        if not items and reply.get("slow"):
            raise TimeoutError("the submission took too long and was stopped")
        if not items and type(reply.get("raised")) is dict:
            talk._raise(reply["raised"])
        if items and ("raised" in reply or "slow" in reply):
            self._done = False  # what went wrong, goes wrong again

    def __getattr__(self, name: str) -> Any:
        __tracebackhide__ = True
        return _attribute(self, name)

    __reduce_ex__ = refuse_pickling


# Special methods, for classes that define them


def _allow(talk: Conversation, made: type, operation: str) -> None:
    if not talk.may_operate(made, operation):
        raise Refused(_DATA_EXPECTED)


def _forwarded(operation: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any) -> Any:
        __tracebackhide__ = True
        _allow(self._handle.talk, type(self), operation)
        return self._handle.talk.call(operation, [self, *args])

    method.__name__ = f"__{operation}__"
    return method


def _reversed(operation: str) -> Callable[..., Any]:
    def method(self: Any, other: Any) -> Any:
        __tracebackhide__ = True
        _allow(self._handle.talk, type(self), operation)
        return self._handle.talk.call(operation, [other, self])

    method.__name__ = f"__r{operation}__"
    return method


def _exact(operation: str, kind: type) -> Callable[..., Any]:
    """Forward an operation whose result Python wants to be of one type."""

    def method(self: Any, *args: Any) -> Any:
        __tracebackhide__ = True
        _allow(self._handle.talk, type(self), operation)
        result = self._handle.talk.call(operation, [self, *args])
        if type(result) is not kind:
            raise Refused(f"the submission's {operation} gave no {kind.__name__}")
        return result

    method.__name__ = f"__{operation}__"
    return method


def _call_object(self: Any, *args: Any, **kwargs: Any) -> Any:
    __tracebackhide__ = True
    return self._handle.talk.call(self._handle, args, kwargs)


def _enter_object(self: Any) -> Any:
    __tracebackhide__ = True
    return self._handle.talk.call("enter", [self])


def _exit_object(self: Any, kind: Any, error: Any, trace: object) -> bool:
    """Tell an object that its `with` block has ended, and how; it cannot swallow an error."""
    __tracebackhide__ = True
    # Not its message, which may say what the check wanted.
    told = builtin_of(type(error)).__name__ if isinstance(error, Exception) else None
    self._handle.talk.call("exit", [self, told])
    return False


SPECIAL_METHODS: dict[str, Any] = {
    **{
        name: _forwarded(name)
        for name in (
            "abs",
            "ceil",
            "delitem",
            "floor",
            "ge",
            "getitem",
            "gt",
            "invert",
            "iter",
            "le",
            "lt",
            "neg",
            "next",
            "pos",
            "reversed",
            "round",
            "setitem",
            "trunc",
        )
    },
    **{name: _forwarded(name) for name in ARITHMETIC},
    **{f"i{name}": _forwarded(f"i{name}") for name in ARITHMETIC if name != "divmod"},
    **{f"r{name}": _reversed(name) for name in ARITHMETIC},
    "bool": _exact("bool", bool),
    "complex": _exact("complex", complex),
    "contains": _exact("contains", bool),
    "float": _exact("float", float),
    "int": _exact("int", int),
    "index": _exact("index", int),
    "len": _exact("len", int),
    "call": _call_object,
    "enter": _enter_object,
    "exit": _exit_object,
}


def _same_place(one: object, other: object) -> bool:
    mine, theirs = handle_of(one), handle_of(other)
    return (
        mine is not None
        and theirs is not None
        and mine.talk is theirs.talk
        and (mine.generation, mine.number) == (theirs.generation, theirs.number)
    )


# What came, checked
