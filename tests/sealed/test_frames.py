"""Messages over a socket: what is sent arrives, and what is wrong is one kind of error."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.ward.frames import (
    Closed,
    FrameError,
    Malformed,
    TimedOut,
    TooBig,
    receive,
    send,
)

Ends = tuple[socket.socket, socket.socket]

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=12,
)


@pytest.fixture
def ends() -> Iterator[Ends]:
    with pair() as both:
        yield both


@contextlib.contextmanager
def pair() -> Iterator[Ends]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


@given(st.dictionaries(st.text(st.characters(exclude_categories=())), _JSON, max_size=4))
def test_what_is_sent_arrives(message: dict[str, object]) -> None:
    with pair() as (one, other):
        send(one, message)
        got, fds = receive(other, 5)
    assert repr(got) == repr(message)
    assert fds == []


def test_adjacent_surrogates_stay_two(ends: Ends) -> None:
    send(ends[0], {"text": "\ud83d\ude00"})
    assert receive(ends[1], 5)[0] == {"text": "\ud83d\ude00"}


def test_a_long_message_in_both_directions(ends: Ends) -> None:
    message = {"text": "x" * 5_000_000}
    sender = threading.Thread(target=send, args=(ends[0], message))
    sender.start()
    assert receive(ends[1], 10)[0] == message
    sender.join()


def test_open_files_come_along(ends: Ends) -> None:
    read, write = os.pipe()
    send(ends[0], {"do": "fork"}, [write])
    os.close(write)
    _, (fd,) = receive(ends[1], 5, max_fds=1)
    assert not os.get_inheritable(fd)
    os.write(fd, b"through")
    os.close(fd)
    assert os.read(read, 10) == b"through"
    os.close(read)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("asked", [0, 1])
def test_open_files_that_nobody_asked_for_are_closed(ends: Ends, asked: int) -> None:
    before = open_files()
    pipes = [os.pipe() for _ in range(4)]
    send(ends[0], {}, [end for both in pipes for end in both])
    for both in pipes:
        os.close(both[0])
        os.close(both[1])
    _, fds = receive(ends[1], 5, max_fds=asked)
    assert len(fds) == asked
    for fd in fds:
        os.close(fd)
    assert open_files() == before


@pytest.mark.parametrize("kind", [float("nan"), float("inf"), object(), b"bytes", {1, 2}])
def test_what_json_cannot_say_is_not_sent(ends: Ends, kind: object) -> None:
    with pytest.raises(Malformed):
        send(ends[0], {"a": kind})


def raw(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (b"", Closed),
        (b"\x00\x00", Closed),
        (raw(b'{"a": 1}')[:-1], Closed),
        (raw(b""), Malformed),
        (raw(b"[1]"), Malformed),
        (raw(b"null"), Malformed),
        (raw(b'{"a": NaN}'), Malformed),
        (raw(b'{"a": -Infinity}'), Malformed),
        (raw(b'{"a": 1'), Malformed),
        (raw(b'{"a": "\xff"}'), Malformed),
        (raw(b'{"a": ' + b"9" * 100_000 + b"}"), Malformed),
        (raw(b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"), Malformed),
        (raw(b'{"a":[' + b"[]," * 900_000 + b"1]}"), TooBig),
        (b"\xff\xff\xff\xff", TooBig),
    ],
)
def test_what_is_no_message_is_one_kind_of_error(
    ends: Ends, sent: bytes, error: type[FrameError]
) -> None:
    def speak() -> None:
        ends[0].sendall(sent)
        ends[0].close()

    sender = threading.Thread(target=speak)
    sender.start()
    with pytest.raises(error):
        receive(ends[1], 10)
    ends[1].close()
    sender.join()


@given(st.binary(max_size=200))
def test_no_bytes_break_more_than_the_message(data: bytes) -> None:
    with pair() as (one, other):
        one.sendall(raw(data))
        one.close()
        with contextlib.suppress(FrameError):
            assert type(receive(other, 5)[0]) is dict


def test_time_counts_for_the_whole_message(ends: Ends) -> None:
    stop = threading.Event()

    def trickle() -> None:
        ends[0].sendall(struct.pack(">I", 1000))
        while not stop.wait(0.01):
            ends[0].sendall(b" ")

    sender = threading.Thread(target=trickle)
    sender.start()
    start = time.monotonic()
    with pytest.raises(TimedOut):
        receive(ends[1], 0.3)
    assert time.monotonic() - start < 2
    stop.set()
    sender.join()


def test_nobody_speaks_and_nobody_reads(ends: Ends) -> None:
    with pytest.raises(TimedOut):
        receive(ends[1], 0.05)
    with pytest.raises(TimedOut):
        send(ends[0], {"text": "x" * 10_000_000}, seconds=0.05)


def test_the_other_end_is_gone(ends: Ends) -> None:
    ends[1].close()
    with pytest.raises(Closed):
        send(ends[0], {"text": "x" * 1_000_000})


def test_the_blocking_mode_is_left_alone(ends: Ends) -> None:
    for sock in ends:
        sock.setblocking(False)
    send(ends[0], {"a": 1})
    assert receive(ends[1], 5)[0] == {"a": 1}
    assert not os.get_blocking(ends[1].fileno())
