"""The live figure in the browser: Plotly draws it, and draws it again when it changes.

plotly's own ``FigureWidget`` brings five megabytes of JavaScript for every single figure, checks
each value again in Python, and sends back to the kernel what the browser made of it. Here all
figures of a page share one Plotly, and a change is one message in one direction.
"""

import gzip
import json
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import anywidget
import ipywidgets as widgets
import traitlets

from crs.figures.theme import Picture, whole_layout


class _Library(widgets.Widget):  # type: ignore[misc]  # ipywidgets is untyped
    """Plotly's JavaScript, sent to the browser once, and packed: a hub may be far away."""

    packed = traitlets.Bytes().tag(sync=True)


@cache
def _packed() -> bytes:
    """Read the JavaScript that comes with plotly, without importing plotly, and pack it."""
    package = find_spec("plotly")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("plotly is not installed; run make learn once more")
    file = Path(package.origin).parent / "package_data" / "plotly.min.js"
    return gzip.compress(file.read_bytes(), compresslevel=1, mtime=0)


_libraries: list[_Library] = []


def _library() -> _Library:
    """Give the library that all figures of this kernel share."""
    if not _libraries or _libraries[0].comm is None:  # none yet, or closed with all widgets
        _libraries[:] = [_Library(packed=_packed())]
    return _libraries[0]


class LiveFigure(anywidget.AnyWidget):
    """A picture that the browser draws.

    Parameters
    ----------
    picture : Picture
        What it shows at first.
    """

    _esm = Path(__file__).parent / "figure.js"
    # As JSON: of a list, ipywidgets looks at every number on both sides of the wire.
    traces = traitlets.Unicode().tag(sync=True)
    plot_layout = traitlets.Unicode().tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    # The browser finds the one Plotly of the page by its version.
    library = traitlets.Instance(_Library).tag(sync=True, **widgets.widget_serialization)
    plotly_version = traitlets.Unicode().tag(sync=True)

    def __init__(self, picture: Picture) -> None:
        super().__init__(**_state(picture), library=_library(), plotly_version=version("plotly"))
        self.add_class("crs-figure")

    def show(self, picture: Picture) -> None:
        """Show another picture, in one message to the browser.

        Parameters
        ----------
        picture : Picture
        """
        with self.hold_sync():
            for name, value in _state(picture).items():
                setattr(self, name, value)


def _state(picture: Picture) -> dict[str, str]:
    return {
        "traces": _json([dict(trace) for trace in picture.traces]),
        "plot_layout": _json(whole_layout(picture)),
        "alt": picture.alt,
    }


def _json(value: object) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
