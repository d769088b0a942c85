"""Messages over a socket: four bytes of length, then one JSON object.

Whoever is at the other end may be hostile: a frame has a size, a number of items and a time, and
whatever breaks them is one `FrameError`. Nothing but JSON is parsed.
"""

import array
import json
import select
import socket
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

MAX_BYTES = 16 * 2**20
# A list costs some 80 bytes of memory for each 2 bytes of JSON.
MAX_ITEMS = 1_000_000

_LENGTH = struct.Struct(">I")
_FD_BYTES = array.array("i").itemsize
_CHUNK = 2**20
# Never waits, and leaves the blocking mode alone, which other processes may share.
_SEND = socket.MSG_DONTWAIT | getattr(socket, "MSG_NOSIGNAL", 0)
_RECEIVE = socket.MSG_DONTWAIT | getattr(socket, "MSG_CMSG_CLOEXEC", 0)


class FrameError(Exception):
    """A message that did not come through whole."""


class Closed(FrameError):
    """The other end is gone."""


class TooBig(FrameError):
    """The message is larger than allowed."""


class Malformed(FrameError):
    """The message is no JSON object."""


class TimedOut(FrameError):
    """The other end took too long."""


def send(
    sock: socket.socket,
    message: dict[str, Any],
    fds: Sequence[int] = (),
    *,
    seconds: float | None = None,
    max_bytes: int = 0xFFFFFFFF,
) -> None:
    """Send one message, and open files with it.

    Parameters
    ----------
    sock : socket.socket
        A connected stream socket of the unix family. Its blocking mode is neither used nor changed.
    message : dict
        Anything that JSON can say. Numbers must be finite. Text may hold lone surrogates.
    fds : sequence of int
        Descriptors to pass along; they stay open here.
    seconds : float, optional
        How long the other end may take to read it; without it, forever.
    max_bytes : int
        The longest message.

    Raises
    ------
    FrameError
        `Malformed` or `TooBig`, before anything is sent; `Closed` or `TimedOut`.
    """
    try:
        text = _dump(message)
    except (ValueError, TypeError, RecursionError) as error:
        raise Malformed(f"a message that JSON cannot say: {error}") from None
    body = text.encode("utf-8", "surrogatepass")
    if len(body) > max_bytes:
        raise TooBig(f"a message of {len(body)} bytes; {max_bytes} are allowed")
    left = memoryview(_LENGTH.pack(len(body)) + body)
    end = None if seconds is None else time.monotonic() + seconds
    passed = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    while left:
        try:
            sent = sock.sendmsg([left[:_CHUNK]], passed, _SEND)
        except (BlockingIOError, TimeoutError):
            _wait(sock, select.POLLOUT, end)
            continue
        except OSError as error:
            raise Closed(f"the other end is gone: {error.strerror}") from None
        left, passed = left[sent:], []


def receive(
    sock: socket.socket,
    seconds: float | None = None,
    max_bytes: int = MAX_BYTES,
    *,
    max_fds: int = 0,
    max_items: int = MAX_ITEMS,
) -> tuple[dict[str, Any], list[int]]:
    """Receive one message.

    Parameters
    ----------
    sock : socket.socket
        A connected stream socket of the unix family. Its blocking mode is neither used nor changed.
    seconds : float, optional
        How long the whole message may take; without it, forever.
    max_bytes : int
        The longest message.
    max_fds : int
        How many descriptors may come along. The kernel closes those that are not asked for.
    max_items : int
        About how many lists, objects and items the message may hold.

    Returns
    -------
    message : dict
    fds : list of int
        Descriptors that came along. They are the caller's to close.

    Raises
    ------
    FrameError
        `Closed`, `TooBig`, `Malformed` or `TimedOut`. After it the socket is of no more use.
    """
    end = None if seconds is None else time.monotonic() + seconds
    fds: list[int] = []
    try:
        (length,) = _LENGTH.unpack(_read(sock, _LENGTH.size, end, max_fds, fds))
        if length > max_bytes:
            raise TooBig(f"a message of {length} bytes; {max_bytes} are allowed")
        return _parse(_read(sock, length, end, 0, fds), max_items), fds
    except BaseException:
        _close(fds)
        raise


def _read(
    sock: socket.socket, count: int, end: float | None, max_fds: int, fds: list[int]
) -> bytearray:
    """Read so many bytes. Memory grows with what has come, not with what was announced."""
    data = bytearray()
    room = socket.CMSG_SPACE(max_fds * _FD_BYTES) if max_fds else 0
    while len(data) < count:
        want = min(count - len(data), _CHUNK)
        try:
            if room:
                part, ancillary, _, _ = sock.recvmsg(want, room, _RECEIVE)
                for level, kind, payload in ancillary:
                    if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                        whole = len(payload) - len(payload) % _FD_BYTES
                        fds.extend(array.array("i", payload[:whole]))
                _close(fds[max_fds:])
                del fds[max_fds:]
            else:
                part = sock.recv(want, socket.MSG_DONTWAIT)
        except (BlockingIOError, TimeoutError):
            _wait(sock, select.POLLIN, end)
            continue
        except OSError as error:
            raise Closed(f"the other end is gone: {error.strerror}") from None
        if not part:
            raise Closed("the other end is gone")
        data += part
        if end is not None and time.monotonic() > end and len(data) < count:
            raise TimedOut("the other end took too long")
    return data


def _wait(sock: socket.socket, event: int, end: float | None) -> None:
    poll = select.poll()
    poll.register(sock, event)
    left = None if end is None else max(0.0, end - time.monotonic()) * 1000
    if not poll.poll(left):
        raise TimedOut("the other end took too long")


def _close(fds: Sequence[int]) -> None:
    for fd in fds:
        socket.close(fd)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_dump: Callable[[object], str] = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":")
).encode
_load: Callable[[str], Any] = json.JSONDecoder(parse_constant=_no_constant).decode


def _parse(data: bytearray, max_items: int) -> dict[str, Any]:
    if data.count(b",") + data.count(b"[") + data.count(b"{") > max_items:
        raise TooBig(f"a message of more than {max_items} items")
    try:
        message = _load(data.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise Malformed(f"a message that is no JSON: {error}"[:200]) from None
    if type(message) is not dict:
        raise Malformed("a message that is no JSON object")
    return message
