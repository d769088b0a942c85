"""Every lesson runs from top to bottom, offline, quietly, and shows something in each cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from tests.lessons import lesson

# Anything that leaves this machine fails loudly, so that a lesson cannot lean on the network.
OFFLINE = """
import socket as _socket

_connect = _socket.socket.connect

def _only_here(self, address):
    if self.family != _socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise OSError(f"a lesson reached for {address}")
    return _connect(self, address)

_socket.socket.connect = _only_here
"""


def run(notebook: Any, folder: Path) -> Any:
    guard = nbformat.v4.new_code_cell(OFFLINE, id="offline")
    notebook.cells = [guard, *notebook.cells]
    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    notebook.cells = notebook.cells[1:]
    return notebook


@pytest.fixture(scope="module", params=lesson.LESSONS, ids=lambda path: path.stem)
def executed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return run(lesson.read(request.param), tmp_path_factory.mktemp("lesson"))


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_nothing_is_said_on_the_error_stream(executed: Any) -> None:
    for cell in code_cells(executed):
        for output in cell.outputs:
            assert output.output_type != "stream", (cell.id, output)
            assert output.output_type != "error", (cell.id, output)


def test_every_cell_but_the_setup_shows_something(executed: Any) -> None:
    for cell in code_cells(executed):
        if cell.id == "setup":
            assert cell.outputs == []
            continue
        shown = [output.data for output in cell.outputs if "data" in output]
        assert len(shown) == 1, cell.id
        is_widget = "application/vnd.jupyter.widget-view+json" in shown[0]
        assert is_widget or "text/html" in shown[0], cell.id


def test_the_guard_stops_a_lesson_that_reaches_out(tmp_path: Path) -> None:
    reaching = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell(
                "import socket\nsocket.create_connection(('192.0.2.1', 80), timeout=1)", id="out"
            )
        ]
    )
    with pytest.raises(Exception, match="a lesson reached for"):
        run(reaching, tmp_path)
