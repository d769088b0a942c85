"""Runs notebooks in this very process: fast, unsealed, and able to die on demand."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output

from autograder.batch.records import Source, SourceNotebook
from autograder.batch.template import template_of
from autograder.batch.work import Executed
from autograder.sealed.cells import restore
from autograder.sealed.submissions import read_notebook

NAME = "tests.batch.fake_runner.run"


def run(
    content: bytes,
    book: SourceNotebook,
    files: Mapping[str, bytes],
    remarks: tuple[str, ...],
    source: Source,
) -> Executed:
    restored = restore(read_notebook(content), book.cells, template_of(book.template))
    settings = source.settings or {}
    time.sleep(settings.get("seconds", 0))
    if settings.get("fail"):
        _ = 1 / 0
    namespace: dict[str, Any] = {}
    for count, cell in enumerate(restored.notebook.cells):
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = _outputs(cell.source, namespace, count), count
    restored.notebook.metadata["autograder"] = NotebookNode(
        mode="sealed", remarks=[*restored.remarks, *remarks]
    )
    return Executed(restored.notebook)


def _outputs(source: str, namespace: dict[str, Any], count: int) -> list[Any]:
    if "DIE-ONCE" in source:
        marker = Path(source.split("DIE-ONCE ")[1].splitlines()[0])
        if not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    elif "DIE" in source:
        os.kill(os.getpid(), signal.SIGKILL)
    if "MEET" in source:
        _meet(Path(source.split("MEET ")[1].splitlines()[0]))
    if "HANG" in source:
        time.sleep(60)
    shown = io.StringIO()
    outputs = []
    try:
        with contextlib.redirect_stdout(shown):
            *body, last = source.split("\n") if "\n" not in source.strip() else ["", source]
            exec("\n".join(body), namespace)
            lines = source.strip().splitlines()
            value = next((line for line in lines if line.startswith("sum(")), None)
            if value is None:
                exec(last, namespace)
            else:
                result = eval(value, namespace)
                outputs.append(
                    new_output(
                        "execute_result", {"text/plain": repr(result)}, execution_count=count
                    )
                )
    except Exception as error:
        outputs.append(
            new_output("error", ename=type(error).__name__, evalue=str(error), traceback=[])
        )
    return outputs


def _meet(folder: Path) -> None:
    """Wait until a second worker is here, too."""
    (folder / str(os.getpid())).touch()
    until = time.monotonic() + 20
    while len(list(folder.iterdir())) < 2:
        if time.monotonic() > until:
            raise TimeoutError("no other worker came")
        time.sleep(0.01)
