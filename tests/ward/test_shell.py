"""Cells in a plain process: what they put out, in which order, and how large."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from IPython import get_ipython

from autograder.ward.outputs import Recorder, plain_json, size
from autograder.ward.shell import Shell


@pytest.fixture(scope="module")
def shell() -> Shell:
    return Shell(capture_descriptors=True)


def text_of(outputs: list[dict[str, Any]], name: str = "stdout") -> str:
    return "".join(
        output["text"]
        for output in outputs
        if output["output_type"] == "stream" and output["name"] == name
    )


def error_of(outputs: list[dict[str, Any]]) -> dict[str, Any]:
    (error,) = (output for output in outputs if output["output_type"] == "error")
    return error


def result_of(outputs: list[dict[str, Any]]) -> str:
    (result,) = (output for output in outputs if output["output_type"] == "execute_result")
    return str(result["data"]["text/plain"])


def test_prints_and_a_result_are_outputs_in_order(shell: Shell) -> None:
    outputs = shell.run("print('a')\nprint('b')\n40 + 2")
    assert outputs == [
        {"output_type": "stream", "name": "stdout", "text": "a\nb\n"},
        {
            "output_type": "execute_result",
            "data": {"text/plain": "42"},
            "metadata": {},
            "execution_count": shell.execution_count,
        },
    ]


def test_each_stream_is_one_piece_until_something_is_shown(shell: Shell) -> None:
    outputs = shell.run(
        "import sys\nprint(1)\nprint(2, file=sys.stderr)\nprint(3)\ndisplay('x')\nprint(4)"
    )
    assert [(output["output_type"], output.get("text")) for output in outputs] == [
        ("stream", "1\n3\n"),
        ("stream", "2\n"),
        ("display_data", None),
        ("stream", "4\n"),
    ]


def test_descriptors_and_commands_are_captured_in_order(shell: Shell) -> None:
    outputs = shell.run(
        "import os, subprocess\nprint('one')\nos.write(1, b'two\\n')\n"
        "subprocess.run(['echo', 'three'])\nprint('four')\n!echo five; echo six >&2\n"
        "print('seven'); None"
    )
    assert text_of(outputs) == "one\ntwo\nthree\nfour\nfive\nsix\nseven\n"


def test_a_forked_process_prints_into_the_cell(shell: Shell) -> None:
    outputs = shell.run(
        "import os\nif os.fork() == 0:\n    print('child')\n    os._exit(0)\nos.wait(); None"
    )
    assert text_of(outputs) == "child\n"


def test_nothing_is_left_changed_outside_a_run(shell: Shell) -> None:
    before = sys.stdout, sys.stderr, input
    shell.run("print(1)")
    assert (sys.stdout, sys.stderr, input) == before


@pytest.mark.parametrize(
    ("source", "name", "line"),
    [
        ("1 / 0", "ZeroDivisionError", 1),
        ("def f():\n    return missing\nf()", "NameError", 3),
        ("x = 1\nx +", "SyntaxError", 2),
        ("import json\njson.loads('{')", "JSONDecodeError", 2),
        ("class Odd(Exception):\n    pass\nraise Odd('so')", "Odd", 3),
    ],
)
def test_an_error_names_its_cell_and_line(shell: Shell, source: str, name: str, line: int) -> None:
    error = error_of(shell.run(source))
    assert error["ename"] == name
    plain = "\n".join(error["traceback"])
    for mark in ("\x1b[36m", "\x1b[32m", "\x1b[39m"):
        plain = plain.replace(mark, "")
    assert f"Cell In[{shell.execution_count}], line {line}" in plain
    assert "autograder" not in plain


def test_the_cell_of_a_function_is_known(shell: Shell) -> None:
    shell.run("def known():\n    return 1", number=70)
    shell.run("def known_too():\n    return 1", number=71)
    known, too = (shell.namespace[name].__code__.co_filename for name in ("known", "known_too"))
    assert (shell.cell_number(known), shell.cell_number(too)) == (70, 71)
    assert shell.cell_number(__file__) is None


def test_the_same_text_in_two_cells_is_two_cells(shell: Shell) -> None:
    shell.run("def same():\n    return 1", number=80)
    first = shell.namespace["same"].__code__.co_filename
    shell.run("def same():\n    return 1", number=81)
    assert shell.cell_number(first) == 80
    assert shell.cell_number(shell.namespace["same"].__code__.co_filename) == 81


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("raise ExceptionGroup('several', [ValueError(1)])", "ExceptionGroup"),
        ("%no_such_magic", "UsageError"),
        ("exit()", "SystemExit"),
        ("quit", "SystemExit"),
        ("import sys; sys.exit(3)", "SystemExit"),
        ("input('name? ')", "StdinNotImplementedError"),
        ("import getpass; getpass.getpass()", "StdinNotImplementedError"),
        ("def f(): f()\nf()", "RecursionError"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    ],
)
def test_what_fails_in_its_own_way_is_an_error_too(shell: Shell, source: str, names: str) -> None:
    assert error_of(shell.run(source))["ename"] == names
    assert result_of(shell.run("6 * 7")) == "42"


def test_a_recursion_without_end_is_shown_in_short(shell: Shell) -> None:
    outputs = shell.run("def f(n): return f(n + 1) + 1\nf(0)")
    assert size(error_of(outputs)) < 20_000


def test_an_exception_that_cannot_be_shown_is_named(shell: Shell) -> None:
    for trick in ("1 / 0", "raise SystemExit", "raise KeyboardInterrupt", "return 5"):
        outputs = shell.run(
            f"class Evil(Exception):\n    def __str__(self):\n        {trick}\nraise Evil()"
        )
        assert any(output["output_type"] == "error" for output in outputs), trick
        assert result_of(shell.run("6 * 7")) == "42"


def test_magics_work(shell: Shell) -> None:
    assert "Wall time" in text_of(shell.run("%time 1"))
    assert "Wall time" in text_of(shell.run("%%time\nprint(1)"))
    assert shell.run("%%capture text\nprint('kept')") == []
    assert "kept" in result_of(shell.run("text.stdout"))
    assert result_of(shell.run("names = !echo a; echo b\nlist(names)")) == "['a', 'b']"
    assert "from bash" in text_of(shell.run("%%bash\necho from bash"))
    assert "a = 1" in text_of(shell.run("%%writefile /dev/stdout\na = 1"))


def test_a_cell_that_python_reads_differently_is_still_transformed(shell: Shell) -> None:
    assert result_of(shell.run("\n\n   x = 3\n   x * 14")) == "42"
    assert result_of(shell.run(">>> x = 42\n>>> x")) == "42"
    shell.ip.input_transformers_post.append(
        lambda lines: [line.replace("six", "6") for line in lines]
    )
    try:
        assert result_of(shell.run("y = six\ny * 7")) == "42"
    finally:
        shell.ip.input_transformers_post.clear()


def test_await_works_at_top_level_and_a_loop_runs(shell: Shell) -> None:
    assert result_of(shell.run("import asyncio\nawait asyncio.sleep(0, 42)")) == "42"
    shell.run("async def later():\n    return 42\ntask = asyncio.create_task(later())")
    assert result_of(shell.run("await task")) == "42"
    assert "running=True" in result_of(shell.run("asyncio.get_running_loop()"))


def test_displays_are_updated_and_cleared(shell: Shell) -> None:
    outputs = shell.run("handle = display(1, display_id=True)\nprint('x')\nhandle.update(2)")
    assert outputs[0]["data"] == {"text/plain": "2"}
    cleared = shell.run(
        "from IPython.display import clear_output\nprint('gone')\nclear_output()\nprint('left')"
    )
    assert text_of(cleared) == "left\n"
    waiting = shell.run("print('stays')\nclear_output(wait=True)")
    assert text_of(waiting) == "stays\n"
    replaced = shell.run("print('gone')\nclear_output(wait=True)\nprint('left')")
    assert text_of(replaced) == "left\n"


def test_rich_results_are_kept(shell: Shell) -> None:
    (table,) = shell.run("import pandas as pd\npd.DataFrame({'a': [1]})")
    assert set(table["data"]) == {"text/plain", "text/html"}
    (image,) = shell.run(
        "from IPython.display import Image\nImage(data=b'\\x89PNG\\r\\n\\x1a\\n' + bytes(8))"
    )
    assert image["data"]["image/png"].startswith("iVBORw0KGgo")


def test_a_figure_of_plotly_is_its_json_alone(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("plotly")
    monkeypatch.setenv("PLOTLY_RENDERER", "plotly_mimetype")
    outputs = shell.run(
        "import plotly.io\nplotly.io.renderers.default = 'plotly_mimetype'\n"
        "import plotly.graph_objects as go\nimport numpy as np\n"
        "go.Figure(go.Scatter(x=np.arange(3), y=[1, 2, 3])).show()"
    )
    (figure,) = outputs
    assert figure["data"].keys() <= {"application/vnd.plotly.v1+json", "text/plain"}
    json.dumps(figure, allow_nan=False)


def test_a_widget_is_shown_without_a_kernel(shell: Shell) -> None:
    (slider,) = shell.run("import ipywidgets\nipywidgets.IntSlider()")
    assert "application/vnd.jupyter.widget-view+json" in slider["data"]
    outputs = shell.run("ipywidgets.interact(lambda x: x, x=(0, 3)); None")
    assert not [output for output in outputs if output["output_type"] == "error"]


def test_no_thread_and_no_file_of_history(shell: Shell) -> None:
    shell.run("1")
    assert shell.ip.history_manager is not None
    assert not shell.ip.history_manager.enabled
    assert get_ipython() is shell.ip
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from ward.shell import Shell, threads\n"
        "shell = Shell(); shell.run('1/0'); shell.run('print(1)')\n"
        "assert threads() == 1, threads()\n"
    )
    package = Path(sys.modules[Shell.__module__].__file__ or "").parent
    subprocess.run([sys.executable, "-I", "-c", code, package.parent], check=True)


def test_outputs_are_valid_for_nbformat(shell: Shell) -> None:
    sources = (
        "print(1)",
        "1 / 0",
        "display({'application/json': {1: float('nan'), 'b': b'x'}}, raw=True)",
        "import sys; print(2, file=sys.stderr); 5",
        "'\\ud800'",
        "print('\\ud800')",
    )
    notebook = nbformat.v4.new_notebook()
    for source in sources:
        cell = nbformat.v4.new_code_cell(source, execution_count=1)
        cell.outputs = [nbformat.from_dict(output) for output in shell.run(source)]
        notebook.cells.append(cell)
    nbformat.validate(notebook)


def test_a_namespace_may_answer_for_names_that_it_does_not_hold() -> None:
    class Answering(dict[str, Any]):
        def __missing__(self, name: str) -> Any:
            if name == "elsewhere":
                return 42
            raise KeyError(name)

    asking = Shell(Answering())
    assert result_of(asking.run("elsewhere")) == "42"
    assert result_of(asking.run("def f():\n    return elsewhere\nf()")) == "42"
    assert error_of(asking.run("nowhere"))["ename"] == "NameError"


class TestSizes:
    def test_a_flood_is_cut_and_says_so(self, shell: Shell) -> None:
        outputs = shell.run("for i in range(10**5): print(i)\n1 / 0", max_bytes=10_000)
        assert size(outputs) < 20_000
        assert error_of(outputs)["ename"] == "ZeroDivisionError"
        assert "cut here: a cell may show 10 KiB" in text_of(outputs)

    def test_a_flood_through_descriptors_is_cut(self, shell: Shell) -> None:
        outputs = shell.run("import os\nfor _ in range(200): os.write(1, b'x' * 50_000)", 10_000)
        assert size(outputs) < 20_000
        assert "cut here" in text_of(outputs)

    def test_the_result_survives_a_flood(self, shell: Shell) -> None:
        outputs = shell.run("print('x' * 10**6)\n42", max_bytes=1000)
        assert result_of(outputs) == "42"

    def test_a_bulky_table_keeps_its_text(self, shell: Shell) -> None:
        outputs = shell.run(
            "class Bulky:\n"
            "    def _repr_html_(self): return '<b>' * 10**5\n"
            "    def __repr__(self): return 'short'\n"
            "Bulky()",
            max_bytes=1000,
        )
        assert outputs[0]["data"] == {"text/plain": "short"}
        assert "cut here" in text_of(outputs)

    def test_a_progress_bar_may_change_often(self, shell: Shell) -> None:
        outputs = shell.run(
            "handle = display('x' * 100, display_id=True)\n"
            "for i in range(1000): handle.update('x' * 100 + str(i))",
            max_bytes=2000,
        )
        assert outputs[0]["data"]["text/plain"].endswith("999'")
        assert len(outputs) == 1

    def test_many_small_displays_are_cut(self, shell: Shell) -> None:
        outputs = shell.run("for i in range(10**4): display(i)", max_bytes=1000)
        assert size(outputs) < 100_000
        assert "cut here" in text_of(outputs)

    def test_a_huge_traceback_is_shortened(self, shell: Shell) -> None:
        outputs = shell.run("raise ValueError('x' * 10**7)", max_bytes=1000)
        assert size(outputs) < 40_000
        assert error_of(outputs)["ename"] == "ValueError"


def test_plain_json_takes_anything() -> None:
    looped: list[Any] = []
    looped.append(looped)
    for value in (looped, {1: {2: object()}}, float("inf"), 10**400, b"\xff", {1, 2}, "\ud800"):
        json.dumps(plain_json(value), allow_nan=False)


def test_a_recorder_splits_no_character() -> None:
    recorder = Recorder(5)
    recorder.write("stdout", "ééé")
    assert recorder.finish()[0]["text"] == "éé"
