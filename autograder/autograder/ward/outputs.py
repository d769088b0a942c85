"""The outputs of one cell, in order, as plain nbformat dictionaries of a limited size."""

import json
from binascii import b2a_base64
from collections.abc import Mapping
from typing import Any

# What a result, an error or a sentence may still use once a cell has printed all that it may.
RESERVE_BYTES = 32 * 1024

_DEPTH = 64

Output = dict[str, Any]


def plain_json(value: object, depth: int = _DEPTH) -> Any:
    """Turn a value into what JSON can say.

    Parameters
    ----------
    value : object
        Anything. Bytes become Base64, a number that JSON lacks becomes None, and a stranger becomes
        its text.
    depth : int
        How deep lists and dictionaries may lie.

    Returns
    -------
    object
        None, bool, int, float, str, list or dict, exactly.
    """
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        number = int.__int__(value)
        return number if number.bit_length() <= 1024 else None
    if isinstance(value, float):
        real = float.__float__(value)
        return real if real - real == 0 else None
    if isinstance(value, (bytes, bytearray)):
        return b2a_base64(bytes(value), newline=False).decode("ascii")
    if depth <= 0:
        return None
    if isinstance(value, Mapping):
        return {str(key): plain_json(item, depth - 1) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain_json(item, depth - 1) for item in value]
    if hasattr(value, "tolist"):
        return plain_json(value.tolist(), depth - 1)
    return str(value)


def size(value: object) -> int:
    """Tell how many bytes a value takes as JSON.

    Parameters
    ----------
    value : object
        What `plain_json` returned.

    Returns
    -------
    int
    """
    if type(value) is str:
        return len(value.encode("utf-8", "surrogatepass"))
    return len(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def _clip(text: str, room: int) -> str:
    """Take so many bytes of a text, and no half character."""
    return text.encode("utf-8", "surrogatepass")[: max(0, room)].decode("utf-8", "ignore")


def _weight(bundle: Mapping[str, Any]) -> int:
    """Tell what a display takes of a cell's room."""
    return 32 + sum(map(size, bundle["data"].values())) + size(bundle["metadata"])


def _shortened(lines: list[str], room: int) -> list[str]:
    """Keep the first and the last entries of a traceback, as much as there is room for."""
    clipped = [_clip(line, room // 4) for line in lines]
    head: list[str] = []
    tail: list[str] = []
    while len(head) + len(tail) < len(clipped):
        # The last entry names the exception, the first one the cell.
        first = len(head) < len(tail)
        line = clipped[len(head)] if first else clipped[-1 - len(tail)]
        room -= size(line)
        if room < 0:
            return [*head, "[Entries were left out here.]", *reversed(tail)]
        (head if first else tail).append(line)
    return [*head, *reversed(tail)]


def kibibytes(count: int) -> str:
    """Name a size as people read it.

    Parameters
    ----------
    count : int
        Bytes.

    Returns
    -------
    str
        Such as ``"256 KiB"`` or ``"3.5 MiB"``.
    """
    if count < 1024:
        return f"{count} bytes"
    return f"{count / 1024:.0f} KiB" if count < 2**20 else f"{count / 2**20:.1f} MiB"


class Recorder:
    """Collects what a cell puts out.

    A kernel sends what was printed when something else is shown or the cell ends, each stream in
    one piece, and so does this.

    Parameters
    ----------
    max_bytes : int
        What all outputs of one cell may take together. Beyond it, outputs are left out and one
        sentence says so; a result and an error are kept in a short form.
    """

    def __init__(self, max_bytes: int) -> None:
        self.begin(max_bytes)

    def begin(self, max_bytes: int) -> None:
        """Forget everything and start a new cell.

        Parameters
        ----------
        max_bytes : int
            What its outputs may take.
        """
        self._max = max_bytes
        self._left = max_bytes
        self._reserve = RESERVE_BYTES
        self._items: list[Output] = []
        self._pending: dict[str, list[str]] = {}
        self._shown: dict[str, list[Output]] = {}
        self._clear_first = False
        self._cut = False

    def write(self, name: str, text: str) -> None:
        """Add printed text.

        Parameters
        ----------
        name : str
            ``"stdout"`` or ``"stderr"``.
        text : str
            What was printed.
        """
        if self._left <= 0:
            self._cut = self._cut or bool(text)
            return
        room = self._left
        # A character takes up to four bytes, so most texts need no exact count.
        if len(text) * 4 > room:
            fits = _clip(text, room)
            self._cut = self._cut or len(fits) < len(text)
            text = fits
            if self._cut:
                self._left = 0
        if text:
            self._pending.setdefault(name, []).append(text)
            self._left -= len(text) if text.isascii() else size(text)

    def flush(self) -> None:
        """Turn what was printed so far into outputs."""
        if not self._pending:
            return
        pending, self._pending = self._pending, {}
        self._clear_now()
        for name, pieces in pending.items():
            self._items.append({"output_type": "stream", "name": name, "text": "".join(pieces)})

    def show(
        self,
        data: Mapping[str, object],
        metadata: Mapping[str, object] | None,
        *,
        display_id: str | None = None,
        count: int | None = None,
    ) -> None:
        """Add a display, or the cell's result.

        Parameters
        ----------
        data, metadata : mapping
            By MIME type.
        display_id : str, optional
            The name by which a later `update` finds it.
        count : int, optional
            The execution count, for the cell's result.
        """
        self.flush()
        self._clear_now()
        bundle = self._fitting(data, metadata, is_result=count is not None)
        if bundle is None:
            return
        output: Output = {"output_type": "display_data", **bundle}
        if count is not None:
            output |= {"output_type": "execute_result", "execution_count": count}
        self._items.append(output)
        if display_id is not None:
            self._shown.setdefault(display_id, []).append(output)

    def update(
        self, data: Mapping[str, object], metadata: Mapping[str, object] | None, display_id: str
    ) -> None:
        """Change displays of this cell.

        Parameters
        ----------
        data, metadata : mapping
            By MIME type.
        display_id : str
            The name that the displays were shown with.
        """
        for output in self._shown.get(display_id, []):
            # A progress bar changes often: what is replaced gives its room back.
            self._left += _weight(output)
            bundle = self._fitting(data, metadata, is_result=False)
            if bundle is not None:
                output.update(bundle)
            else:
                self._left -= _weight(output)

    def error(self, name: object, value: object, traceback: list[str]) -> None:
        """Add an error.

        Parameters
        ----------
        name, value : object
            The exception's name and text.
        traceback : list of str
            As IPython writes it.
        """
        self.flush()
        self._clear_now()
        lines = [str(line) for line in traceback]
        if sum(map(size, lines)) > RESERVE_BYTES // 2:
            lines = _shortened(lines, RESERVE_BYTES // 2)
        output: Output = {
            "output_type": "error",
            "ename": str(name)[:200],
            "evalue": str(value),
            "traceback": lines,
        }
        if size(output) > max(self._left, self._reserve):
            self._cut = True
            output["evalue"] = _clip(output["evalue"], 2048)
            output["traceback"] = _shortened(lines, 4096)
        self._take(size(output))
        self._items.append(output)

    def clear(self, wait: bool) -> None:
        """Forget the outputs so far.

        Parameters
        ----------
        wait : bool
            Only when the next output comes.
        """
        self.flush()
        self._clear_first = True
        if not wait:
            self._clear_now()

    def finish(self) -> list[Output]:
        """End the cell.

        Returns
        -------
        list of dict
            Its outputs, of the output types of nbformat 4.
        """
        self.flush()
        if self._cut:
            sentence = (
                f"\n[The output was cut here: a cell may show {kibibytes(self._max)} in all.]\n"
            )
            self._items.append({"output_type": "stream", "name": "stdout", "text": sentence})
        return self._items

    def has_error(self, *names: str) -> bool:
        """Whether an error of one of these names was shown.

        Parameters
        ----------
        *names : str
            Names of exceptions.

        Returns
        -------
        bool
        """
        return any(
            output["output_type"] == "error" and output["ename"] in names for output in self._items
        )

    def _clear_now(self) -> None:
        if self._clear_first:
            self._clear_first = False
            self._items.clear()
            self._shown.clear()
            self._left, self._reserve, self._cut = self._max, RESERVE_BYTES, False

    def _take(self, count: int) -> None:
        if count > self._left:
            self._reserve -= count
        else:
            self._left -= count

    def _fitting(
        self, data: Mapping[str, object], metadata: Mapping[str, object] | None, *, is_result: bool
    ) -> dict[str, Any] | None:
        """Keep what there is room for, plain text in any case if this is the cell's result."""
        kept = {str(mime): plain_json(content) for mime, content in data.items()}
        notes = plain_json(metadata or {})
        sizes = {mime: size(content) for mime, content in kept.items()}
        if sum(sizes.values()) > self._left and len(kept) > 1 and "text/html" in kept:
            # HTML is the bulky one, and mostly a second picture of what the others hold.
            self._cut = True
            del kept["text/html"]
            del sizes["text/html"]
        if sum(sizes.values()) > self._left:
            self._cut = True
            kept = {mime: item for mime, item in kept.items() if mime == "text/plain"}
            if not kept or (not is_result and sizes["text/plain"] > self._left):
                return None
            kept = {"text/plain": _clip(str(kept["text/plain"]), 4096)}
            notes = {}
        if size(notes) > 4096:
            notes = {}
        taken = _weight({"data": kept, "metadata": notes})
        if taken > max(self._left, self._reserve):
            return None
        self._take(taken)
        return {"data": kept, "metadata": notes}
