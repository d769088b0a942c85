"""Pictures that lie beside a notebook, put into the page itself."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

_KINDS = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
}
_MOST_BYTES = 2_000_000


def pictures_in(folder: Path) -> Callable[[str], str | None]:
    """Make a function that reads pictures from a folder, and from nowhere else.

    Parameters
    ----------
    folder : Path
        Where the notebook lies.

    Returns
    -------
    callable
        Takes an address as a notebook has it; gives one that begins with ``data:``, or None.
    """
    home = folder.resolve()

    def picture(address: str) -> str | None:
        try:
            path = (home / unquote(address.partition("?")[0].partition("#")[0])).resolve()
            kind = _KINDS.get(path.suffix.lower())
            # A link that leads out of the folder has been followed by now.
            inside = path.is_relative_to(home) and path.is_file()
            if kind is None or not inside or path.stat().st_size > _MOST_BYTES:
                return None
            return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
        except (OSError, ValueError, RuntimeError):
            return None

    return picture
