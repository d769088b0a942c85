"""A ward that lies: whatever it answers is data, a proxy, or one clear error, in bounded time."""

from __future__ import annotations

import contextlib
import inspect
import json
import math
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.sealed import fork

from autograder.sealed.changes import become
from autograder.sealed.conversation import MAX_FORKS, Answer, Conversation
from autograder.sealed.proxies import (
    Gone,
    Handle,
    Refused,
    RemoteFunction,
    RemoteIterator,
    RemoteObject,
    RemoteType,
    is_remote,
)
from autograder.ward.frames import FrameError, receive, send

Liar = Callable[[dict[str, Any]], Any]


@contextlib.contextmanager
def ward(answer: Liar) -> Iterator[Conversation]:
    """Speak with something that answers as it likes: with a dict, with bytes, or not at all."""
    open_sockets: list[socket.socket] = []

    def speak(sock: socket.socket) -> None:
        with contextlib.suppress(FrameError, OSError):
            while True:
                request, _ = receive(sock, 30)
                replies = answer(request)
                number = {"id": request["id"]}
                for case, reply in enumerate(replies if isinstance(replies, list) else [replies]):
                    if reply is None:
                        sock.shutdown(socket.SHUT_RDWR)
                    elif isinstance(reply, bytes):
                        sock.sendall(reply)
                    else:
                        send(sock, number | {"case": case} | reply)

    def dial() -> socket.socket:
        ours, theirs = socket.socketpair()
        open_sockets.extend((ours, theirs))
        threading.Thread(target=speak, args=(theirs,), daemon=True).start()
        return ours

    talk = Conversation()
    talk.start(dial)
    talk.check(deadline=time.monotonic() + 20)
    try:
        yield talk
    finally:
        talk.close()
        for sock in open_sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


def function(talk: Conversation) -> RemoteFunction:
    return RemoteFunction(Handle(talk, 0, 1))


def always(reply: Any) -> Liar:
    return lambda request: {} if request["do"] == "describe" else reply


# Single answers

FRAMES = [
    1, [1], [1, 2, 3], ["a", 1, "f"], [1, 10**9, "f"], [1, -1, "f"], [1, 5, "a b"],
    [1, 5, "x" * 1000],
]  # fmt: skip
REPLIES: dict[str, Any] = {
    "nothing": {},
    "no value": {"value": ["unknown"]},
    "a number alone": {"value": 2**70},
    "an object": {"value": {"a": 1}},
    "odd": {"odd": "the hidden input was 70"},
    "odd list": {"odd": [1]},
    "a reference to nothing": {"value": ["ref"]},
    "a wrong reference": {"value": ["ref", "x", "object", 1]},
    "a negative reference": {"value": ["ref", -1, "object", 1]},
    "a reference of no kind": {"value": ["ref", 1]},
    "an unknown kind": {"value": ["ref", 1, "eval"]},
    "an unhashable kind": {"value": ["ref", 1, ["l"]]},
    "a type that is not shared": {"value": ["ref", "type", "os", "popen"]},
    "a type in a module": {"value": ["ref", "type", "builtins", "eval"]},
    "a type of numpy": {"value": ["ref", "type", "numpy", "memmap"]},
    "a file of pandas": {"value": ["ref", "type", "pandas", "ExcelFile"]},
    "a type of lists": {"value": ["ref", "type", ["a"], ["b"]]},
    "a type without a name": {"value": ["ref", "type"]},
    "a type with more": {"value": ["ref", "type", "builtins", "int", 3]},
    "no figure": {"value": ["ref", "plotly", ["l"]]},
    "a figure of nothing": {"value": ["ref", "plotly"]},
    "a figure that is wrong": {"value": ["ref", "plotly", ["d", "data", 5]]},
    "known to us": {"value": ["ref", "known", "os", "system"]},
    "a name of ours": {"value": ["ref", "name", "eval"]},
    "slow": {"slow": True},
    "raised": {"raised": {"kind": "ValueError", "args": ["x"]}},
    "raised nothing": {"raised": {}},
    "raised a non-error": {"raised": {"kind": "print"}},
    "raised a list": {"raised": {"kind": ["ValueError"], "args": 5, "frames": 7}},
    "raised strange frames": {"raised": {"kind": "KeyError", "frames": FRAMES}},
    "raised with strange arguments": {"raised": {"kind": "UnicodeDecodeError", "args": [[], 5]}},
    "raised a group": {"raised": {"kind": "ExceptionGroup", "args": ["a", ["l"]]}},
    "raised an interrupt": {"raised": {"kind": "KeyboardInterrupt"}},
    "raised the end of a generator": {"raised": {"kind": "StopIteration", "args": []}},
    "raised of a class": {"raised": {"kind": "ValueError", "class": 7}},
    "raised of no class": {"raised": {"kind": "ValueError", "class": "x"}},
    "changed nothing": {"value": None, "changed": 5},
    "changed something": {"value": None, "changed": [[0, ["unknown"]]]},
    "no JSON": struct.pack(">I", 4) + b"abcd",
    "too long": b"\xff\xff\xff\xff",
    "half": struct.pack(">I", 100) + b"{",
    "gone": None,
}  # fmt: skip


@pytest.mark.parametrize("name", REPLIES)
def test_a_lie_is_one_clear_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.sealed.conversation.GRACE_SECONDS", 0.2)
    start = time.monotonic()
    with ward(always(REPLIES[name])) as talk:
        talk.deadline = time.monotonic() + 1
        items = [1]
        if name == "changed nothing":
            assert function(talk)(items) is None
            return
        with pytest.raises(Exception) as caught:  # noqa: PT011 - of many kinds
            function(talk)(items)
        assert items == [1]
        assert caught.type.__module__ in ("builtins", "autograder.sealed.proxies")
        assert not isinstance(caught.value, KeyboardInterrupt | AttributeError | AssertionError)
        assert "hidden" not in str(caught.value)
    assert time.monotonic() - start < 5


def test_arguments_that_were_not_given_are_not_changed() -> None:
    items = [1]
    with ward(always({"value": 1, "changed": [[5, ["l"]], [-1, ["l"]], ["x", ["l"]], [True, ["l"]], [[], 1]]})) as talk:  # fmt: skip  # noqa: E501
        assert function(talk)(items) == 1
    assert items == [1]


def test_an_argument_does_not_become_something_else() -> None:
    items = [1]
    with ward(always({"value": 1, "changed": [[0, ["d"]]]})) as talk:
        assert function(talk)(items) == 1
    assert items == [1]


def test_a_proxy_equals_nothing() -> None:
    with ward(always({"value": ["ref", 1, "object", 2]})) as talk:
        thing = function(talk)()
        assert isinstance(thing, RemoteObject)
        others: list[Any] = [5, 5.0, "a", None, True, [], {}, np.array([1]), math.nan]
        for other in others:
            assert not thing == other  # noqa: SIM201 - both operators are asked
            assert thing != other
            assert other != thing
        assert not callable(thing)
        operations: list[Callable[[Any], Any]] = [
            lambda it: it < 5,
            lambda it: it - 5,
            lambda it: float(it),
            lambda it: len(it),
            lambda it: it[0],
            lambda it: list(it),
            lambda it: 5 in it,
            lambda it: np.asarray(it).sum() + 1,
        ]
        for operation in operations:
            with pytest.raises((TypeError, Refused)):
                operation(thing)


def test_a_class_that_claims_everything() -> None:
    described = {
        "name": "__class__",
        "doc": 5,
        "special": ["eq", "lt", "bool", "len", "getattr", "class", "init", "new", "del", 7, ["x"]],
        "bases": [2, "x", -1],
        "signature": [[["a", 9, None, None]], None],
        "code": 5,
    }

    def lie(request: dict[str, Any]) -> Any:
        return described if request["do"] == "describe" else {"value": ["ref", 1, "object", 2]}

    with ward(lie) as talk:
        thing = function(talk)()
        assert type(thing).__name__ == "Unnamed" or type(thing).__name__ == "__class__"
        assert isinstance(type(thing), RemoteType)
        assert thing != 5
        with pytest.raises(Refused):
            bool(thing)


def test_classes_without_end() -> None:
    def lie(request: dict[str, Any]) -> Any:
        if request["do"] == "describe":
            return {"name": "A", "bases": [request["object"] + 1]}
        return {"value": ["ref", 1, "object", 2]}

    with ward(lie) as talk, pytest.raises(Refused):
        function(talk)()


def test_an_iterator_without_end_or_sense() -> None:
    def lie(request: dict[str, Any]) -> Any:
        count = request.get("count", 0)
        return {"value": ["l", *range(count)], "done": False}

    with ward(lie) as talk, pytest.raises(Refused, match="more than"):
        list(RemoteIterator(Handle(talk, 0, 1), "generator"))
    for reply in ({"value": 5}, {"value": ["l", 1, 2, 3], "done": True}, {}, {"done": True}):
        with ward(always(reply)) as talk, pytest.raises(Refused):
            list(RemoteIterator(Handle(talk, 0, 1), "generator"))


# Descriptions


@pytest.mark.parametrize(
    "described",
    [
        {},
        {"name": 5, "qualname": [1], "doc": {"a": 1}, "signature": 7, "code": 8, "source": 9},
        {"signature": [[["a", 0, [["unknown"]], 5]], 5]},
        {"signature": [[["not a name", 1, None, None]], None]},
        {"signature": [[["a", 1, None, None], ["a", 1, None, None]], None]},
        {"signature": [[["a", 3, None, None], ["b", 0, None, None]], None]},
        {"signature": [[[1, 2, 3]], None]},
        {"signature": [5, None]},
        {"code": {"names": [1, "a"], "varnames": 5, "argcount": 10**9, "line": -1}},
        {"code": {"varnames": ["a"], "argcount": 1, "posonlyargcount": 1, "kwonlyargcount": 1}},
        {"code": {"constants": ["unknown"]}, "source": 5},
        {"code": {}, "source": "x" * 100_000},
    ],
)
def test_a_false_description_is_no_description(described: dict[str, Any]) -> None:
    with ward(lambda request: described) as talk:
        f = function(talk)
        assert type(f.__name__) is str
        assert f.__doc__ is None or type(f.__doc__) is str
        assert type(f.__qualname__) is str
        assert f.__signature__ is None or isinstance(f.__signature__, inspect.Signature)
        assert isinstance(f.__annotations__, dict)
        assert f.__defaults__ is None or type(f.__defaults__) is tuple
        repr(f)
        with contextlib.suppress(AttributeError):
            assert inspect.iscode(f.__code__)
        with contextlib.suppress(OSError, TypeError, AttributeError, Refused):
            inspect.getsource(f)


# Many calls


def cases(count: int) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    return [((at,), {}) for at in range(count)]


def ask(talk: Conversation, count: int, seconds: float = 0.3) -> list[Answer]:
    return type(function(talk)).__autograder_calls__(
        function(talk), cases(count), seconds, 0.1, 3.0
    )


@pytest.mark.parametrize("name", REPLIES)
def test_a_lie_among_many_calls_is_an_answer(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.sealed.conversation.GRACE_SECONDS", 0.2)
    reply = REPLIES[name]
    start = time.monotonic()
    with ward(lambda request: [reply] * len(request.get("order", [1]))) as talk:
        answers = ask(talk, 5)
    assert len(answers) == 5
    assert time.monotonic() - start < 6
    for answer in answers:
        assert answer.kind in ("value", "raised", "odd", "slow", "skipped", "ended")
        assert "hidden" not in repr(answer)
        if answer.kind == "raised":
            assert answer.error in vars(__import__("builtins"))


def test_too_few_and_too_many_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.sealed.conversation.GRACE_SECONDS", 0.1)
    with ward(lambda request: [{"value": 1}] * (len(request["order"]) - 1)) as talk:
        kinds = [answer.kind for answer in ask(talk, 4)]
    assert kinds[:3] == ["value"] * 3
    assert kinds[3] == "slow"
    with ward(lambda request: [{"value": 1}] * (len(request["order"]) + 5)) as talk:
        assert [answer.kind for answer in ask(talk, 4)] == ["value"] * 4


def test_a_ward_that_ends_again_and_again() -> None:
    forks = []

    def die(request: dict[str, Any]) -> Any:
        forks.append(1)

    with ward(die) as talk:
        answers = ask(talk, 50)
    assert {answer.kind for answer in answers} == {"ended"}
    assert len(forks) <= MAX_FORKS


def test_a_ward_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.sealed.conversation.GRACE_SECONDS", 0.1)
    start = time.monotonic()
    with ward(lambda request: []) as talk:
        answers = ask(talk, 50, seconds=0.2)
    assert {answer.kind for answer in answers} <= {"slow", "ended", "skipped"}
    assert len(answers) == 50
    assert time.monotonic() - start < 6


@pytest.mark.parametrize(
    "second", [{"case": 0}, {"case": 2}, {"case": None}, {"id": 0}, {"id": None}, {"id": "1"}]
)
def test_answers_that_were_not_asked_void_all(second: dict[str, Any]) -> None:
    def lie(request: dict[str, Any]) -> Any:
        return [{"value": 1}, {"value": 1} | second, {"value": 1}]

    with ward(lie) as talk:
        assert {answer.kind for answer in ask(talk, 3)} == {"ended"}


def test_a_late_answer_is_not_taken_for_the_next() -> None:
    with ward(lambda request: [{"value": 1}, {"value": 2}]) as talk:
        assert function(talk)() == 1
        with pytest.raises(Gone, match="not asked"):
            function(talk)()


def test_two_processes_that_answer_are_nobody() -> None:
    source = "import os\n\ndef f(x):\n    return 2 * x if os.fork() else x\n"
    with fork.talk(source) as talk:
        found = talk.get("f")
        assert found.kind == "value"
        asked = found.value
        calls: list[tuple[tuple[int], dict[str, int]]] = [((x,), {}) for x in range(1, 5)]
        twice = [type(asked).__autograder_calls__(asked, calls, 1, 1, 5) for _ in range(2)]
    # Where one of them is quick, its answers may all come first; then those of the other come late.
    kinds = [{answer.kind for answer in answers} for answers in twice]
    assert {"ended"} in kinds, kinds


@pytest.mark.parametrize("seed", range(8))
def test_any_reply_is_an_answer_or_an_error(seed: int) -> None:
    rng = random.Random(seed)
    words = ["value", "raised", "odd", "slow", "changed", "printed", "kind", "args", "frames", "class", "missing", "module", "names", "done", "ref", "l", "d", "object", "ValueError"]  # fmt: skip  # noqa: E501

    def anything(depth: int = 0) -> Any:
        choice = rng.randrange(9 if depth < 4 else 6)
        if choice < 6:
            return [None, True, rng.randrange(-2, 9), 1.5, rng.choice(words), ""][choice]
        if choice == 6:
            return {rng.choice(words): anything(depth + 1) for _ in range(rng.randrange(5))}
        return [anything(depth + 1) for _ in range(rng.randrange(5))]

    def lie(request: dict[str, Any]) -> Any:
        reply = {rng.choice(words): anything() for _ in range(rng.randrange(6))}
        return json.loads(json.dumps(reply))

    for _ in range(60):
        with ward(lie) as talk:
            with contextlib.suppress(Refused, Gone, TimeoutError, BaseException):
                got = function(talk)([1], {"a": 2})
                if is_remote(got):
                    assert got != 5
            with contextlib.suppress(Gone, Refused, KeyError):
                talk.get("x")
            with contextlib.suppress(Gone):
                talk.names()


# In place


@pytest.mark.parametrize(
    ("given", "now"),
    [
        ([1, 2], [3]),
        ([[1], {"a": [2]}], [[1, 5], {"a": [2, 3], "b": 4}]),
        ({"a": 1}, {"b": 2}),
        ({1}, {2, 3}),
        (bytearray(b"a"), bytearray(b"bc")),
    ],
)
def test_an_argument_becomes_what_the_call_made_of_it(given: Any, now: Any) -> None:
    inner = given[0] if isinstance(given, list) else None
    become(given, now)
    assert given == now
    if isinstance(inner, list):
        assert given[0] is inner


def test_arrays_and_tables_become() -> None:
    array = np.zeros((2, 2))
    view = array[0]
    become(array, np.ones((2, 2)))
    assert view.tolist() == [1, 1]
    become(array, np.zeros(3))
    assert array.shape == (2, 2)
    table = pd.DataFrame({"a": [1, 2]})
    become(table, pd.DataFrame({"b": ["x"]}, index=[7]))
    assert table.columns.tolist() == ["b"]
    assert table.loc[7, "b"] == "x"
    series = pd.Series([1, 2])
    become(series, pd.Series([5.0], name="n"))
    assert series.tolist() == [5.0]
