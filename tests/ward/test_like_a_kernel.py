"""The same notebook through a real kernel and through the shell: the same outputs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from autograder.ward import shell

CELLS = (
    "x = 6\nprint('a')\nprint('b')\nx * 7",
    "import sys\nprint('out')\nprint('err', file=sys.stderr)\nprint('out again')",
    "'no display';",
    "None",
    "x = 5; x",
    "1 / 0",
    "def f(n):\n    return g(n)\n\ndef g(n):\n    return n / 0\n\nf(1)",
    "y = (",
    "  if True:\n print(1)",
    "raise ValueError('with\\nlines')",
    "missing",
    "import json\njson.loads('{')",
    "raise ExceptionGroup('several', [ValueError(1), TypeError('x')])",
    "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise KeyError('second') from error",
    "import sys\nsys.exit(2)",
    "assert x == 4, 'not four'",
    "%no_such_magic",
    "%%no_such_cell_magic\n1",
    "%env LC_TEST=1",
    "names = !echo one; echo two\nnames",
    "%%capture kept\nprint('kept')",
    "kept.stdout",
    "%lsmagic\nNone",
    "await __import__('asyncio').sleep(0, 'waited')",
    "import asyncio\nasyncio.get_running_loop().is_running()",
    "async def late():\n    return 1\ntask = asyncio.create_task(late())",
    "await task",
    "from IPython.display import HTML, Markdown, clear_output, display\nHTML('<b>bold</b>')",
    "display(1, 2)\ndisplay(Markdown('*x*'))\nprint('after')",
    "handle = display('first', display_id=True)\nhandle.update('second')",
    "print('gone')\nclear_output()\nprint('left')",
    "print('gone')\nclear_output(wait=True)\ndisplay('left')",
    "import pandas as pd\npd.DataFrame({'a': [1, 2], 'b': ['x', None]})",
    "pd.DataFrame({'a': [1]})['b']",
    "import numpy as np\nnp.arange(12).reshape(3, 4)",
    "class Rich:\n    def _repr_html_(self):\n        return '<i>rich</i>'\n"
    "    def __repr__(self):\n        return 'plain'\nRich()",
    "class Broken:\n    def __repr__(self):\n        raise RuntimeError('no repr')\nBroken()",
    "class Latex:\n    def _repr_latex_(self):\n        return '$x$'\n"
    "    def _repr_png_(self):\n        return b'\\x89PNG'\nLatex()",
    "import warnings\nwarnings.warn('careful')",
    "import logging\nlogging.warning('logged')",
    "_",
    "In[1], Out[1], _1",
    "input('name')",
    "import getpass\ngetpass.getpass()",
    "def rec(n):\n    return rec(n + 1)\ntry:\n    rec(0)\nexcept RecursionError as error:\n"
    "    print(type(error).__name__)",
    "for i in range(3):\n    i",
    "import inspect\ninspect.getsource(f)",
    "f?",
    "class A:\n    pass\nA.__module__, __name__",
    "import pickle\npickle.loads(pickle.dumps(A)) is A",
    "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\nP(1)",
    "print('é', '日本', '\\t|')",
    "{1, 2}, {'b': [1, (2,)]}, 1e-300, b'x'",
    "import sys\nsys.stdout.write('written\\n')",
    "print('no newline', end='')",
    "%precision 3\n3.14159265",
    "%%writefile note.txt\ntext",
    "open('note.txt').read()",
    "get_ipython().__class__.__mro__[-3].__name__ is not None",
)

_NOISE = (
    (re.compile(r"ipykernel_\d+"), "ipykernel_N"),
    (re.compile(r"\d{6,}(?=\.py)"), "N"),
    (re.compile(r"0x[0-9a-f]+"), "0xN"),
    (re.compile(r"\x1b\[[0-9;]*m"), ""),
    (re.compile(r"/tmp/[^\s:'\"]*/ipykernel"), "/tmp/ipykernel"),
    (re.compile(r"input_hist|raw_input"), "input"),
)


def quiet(text: str) -> str:
    for pattern, replacement in _NOISE:
        text = pattern.sub(replacement, text)
    return text


def plain(outputs: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Say outputs so that two runs can be compared; adjacent pieces of a stream are one."""
    said: list[tuple[Any, ...]] = []
    for output in outputs:
        kind = output["output_type"]
        if kind == "stream":
            if said and said[-1][:2] == ("stream", output["name"]):
                said[-1] = (*said[-1][:2], said[-1][2] + quiet(output["text"]))
            else:
                said.append(("stream", output["name"], quiet(output["text"])))
        elif kind == "error":
            trace = quiet("\n".join(output["traceback"]))
            cells = re.findall(r"^\s*Cell In\[\d+\], line \d+", trace, re.MULTILINE)
            said.append(("error", output["ename"], quiet(output["evalue"]), cells))
        else:
            data = {
                mime: quiet(content) if isinstance(content, str) else content
                for mime, content in output["data"].items()
            }
            said.append((kind, data, output.get("execution_count")))
    return said


_ADDED_BY_NBGRADER = ["ERROR: An error occurred while showtraceback was disabled"]
_RUN = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
from ward.shell import ENVIRONMENT, Shell
os.environ.update(ENVIRONMENT)
shell = Shell(capture_descriptors=True)
print(json.dumps([shell.run(source) for source in json.load(sys.stdin)]))
"""


@pytest.fixture(scope="module")
def by_kernel(tmp_path_factory: pytest.TempPathFactory) -> list[list[dict[str, Any]]]:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in CELLS]
    )
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        allow_errors=True,
        timeout=120,
        resources={"metadata": {"path": str(tmp_path_factory.mktemp("kernel"))}},
    )
    client.execute()
    return [[dict(output) for output in cell.outputs] for cell in notebook.cells]


@pytest.fixture(scope="module")
def by_shell(tmp_path_factory: pytest.TempPathFactory) -> list[list[dict[str, Any]]]:
    # In a process of its own: pytest captures warnings and log lines.
    done = subprocess.run(
        [sys.executable, "-I", "-c", _RUN, str(Path(shell.__file__).parent.parent)],
        cwd=tmp_path_factory.mktemp("shell"),
        input=json.dumps(CELLS),
        capture_output=True,
        text=True,
        check=True,
    )
    runs: list[list[dict[str, Any]]] = json.loads(done.stdout)
    # nbgrader adds an error where IPython prints it in another way, and so does the shell.
    return [
        [output for output in run if output.get("traceback") != _ADDED_BY_NBGRADER] for run in runs
    ]


@pytest.mark.parametrize("number", range(len(CELLS)))
def test_a_cell_shows_what_a_kernel_shows(
    number: int, by_kernel: list[list[dict[str, Any]]], by_shell: list[list[dict[str, Any]]]
) -> None:
    assert plain(by_shell[number]) == plain(by_kernel[number]), CELLS[number]
