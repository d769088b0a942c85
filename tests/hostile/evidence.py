"""What must not be found in anything that a learner gets to see."""

from __future__ import annotations

import base64
import codecs
import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from nbformat import NotebookNode
from tests.hostile import toy
from tests.hostile.grading import Graded


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _spellings(token: str) -> set[str]:
    """Give ways to spell a token that a learner might think of."""
    raw = token.encode()
    spelled = {_plain(token), _plain(token)[::-1], raw.hex(), _plain(codecs.encode(token, "rot13"))}
    # Base64 of whatever the token is a part of: it depends on where it begins.
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + raw).decode()
        spelled.add(_plain(text[4 if shift else 0 : -4]))
    return {item for item in spelled if len(item) >= 7}


_SPELLINGS = {token: _spellings(token) for token in toy.TOKENS}


def tokens_in(text: str) -> list[str]:
    """Find secrets in a text, however they are spelled; and what an attack says of its success."""
    simple = _plain(text)
    found = [token for token in toy.TOKENS if any(item in simple for item in _SPELLINGS[token])]
    return found + [toy.GOTCHA] * (toy.GOTCHA in text)


def _learner_cells(notebook: NotebookNode) -> Iterator[NotebookNode]:
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader", {})
        if not (marks.get("grade") or marks.get("task")):
            yield cell


def leaks(graded: Graded) -> dict[str, list[str]]:
    """Find secrets wherever a learner's eyes get.

    Parameters
    ----------
    graded : Graded
        What became of the submission.

    Returns
    -------
    dict of str to list of str
        Tokens by place; empty where all is well.
    """
    places = {"feedback page": graded.page}
    for cell in _learner_cells(graded.notebook) if graded.notebook else ():
        places[f"cell {cell.id}"] = cell.source + str(cell.get("outputs", ""))
    for cell in graded.notebook.cells if graded.notebook else ():
        # An instructor reads the checks' outputs, too: nothing of the machine belongs there.
        if toy.GOTCHA in str(cell.get("outputs", "")):
            places[f"check {cell.id}"] = toy.GOTCHA
    for name, data in graded.files.items():
        if not name.endswith(f"{toy.NOTEBOOK}.ipynb"):
            places[f"file {name}"] = data[:5_000_000].decode("latin-1")
    found = {place: tokens_in(text) for place, text in places.items()}
    return {place: tokens for place, tokens in found.items() if tokens}


class Listeners:
    """Servers on this machine that no submission may reach."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._sockets: list[socket.socket] = []
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Listeners:
        with contextlib.suppress(FileNotFoundError):
            Path("/tmp/attack-listener").unlink()
        for family, address in (
            (socket.AF_INET, ("0.0.0.0", 47113)),
            (socket.AF_INET6, ("::1", 47113)),
            (socket.AF_UNIX, "\0attack-listener"),
            (socket.AF_UNIX, "/tmp/attack-listener"),
        ):
            server = socket.socket(family)
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):  # a machine without IPv6
                server.bind(address)
                server.listen()
            server.settimeout(0.2)
            self._sockets.append(server)
            thread = threading.Thread(target=self._listen, args=(server, str(address)))
            thread.start()
            self._threads.append(thread)
        Path("/tmp/attack-listener").chmod(0o777)
        return self

    def _listen(self, server: socket.socket, address: str) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self.heard.append(address)
            connection.close()

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for server in self._sockets:
            server.close()
        with contextlib.suppress(FileNotFoundError):
            Path("/tmp/attack-listener").unlink()


class _Activity(HTMLParser):
    """What a page would do: scripts, handlers, frames, forms, and whatever is fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "iframe", "object", "embed", "form", "base", "frame", "applet"):
            self.found.append(tag)
        for name, value in attrs:
            address = (value or "").strip().lower()
            if name.startswith("on") or name == "srcdoc":
                self.found.append(f"{tag} {name}")
            if name in ("href", "src", "action", "formaction", "xlink:href", "poster", "data"):
                scheme = re.sub(r"[\s\0]", "", address).partition(":")[0]
                fetched = tag != "a" and scheme not in ("data", "") and not address.startswith("#")
                if scheme in ("javascript", "vbscript") or (fetched and ":" in address):
                    self.found.append(f"{tag} {name} {address[:40]}")
            if tag == "meta" and name == "http-equiv" and address == "refresh":
                self.found.append("meta refresh")


def activity_in(page: str) -> list[str]:
    """Find what is active in a page.

    Parameters
    ----------
    page : str
        HTML.
    """
    parser = _Activity()
    parser.feed(page)
    return parser.found


MAX_OUTPUT_BYTES = 6_000_000


def size_of_outputs(graded: Graded) -> int:
    """Give the size of all outputs of a notebook."""
    if graded.notebook is None:
        return 0
    return sum(len(str(cell.get("outputs", ""))) for cell in graded.notebook.cells)
