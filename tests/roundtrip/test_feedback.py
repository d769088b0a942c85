"""What a feedback page leaves out, whatever got into the autograded notebook."""

from __future__ import annotations

import nbformat
import pytest
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from autograder.feedback import DropHiddenChecks
from autograder.report import FINDINGS

SECRET = "91.375"
CHECK = f"""
# Hidden check (4 points).
### BEGIN HIDDEN TESTS
check({SECRET})
### END HIDDEN TESTS
"""
FOUND = new_output("display_data", data={FINDINGS: {"hints": []}, "text/html": "<p>found</p>"})
LEAKS = [
    new_output("stream", name="stdout", text=f"asked for {SECRET}\n"),
    new_output("stream", name="stderr", text=f"asked for {SECRET}\n"),
    new_output("display_data", data={"text/plain": SECRET}),
    new_output("execute_result", data={"text/plain": SECRET}, execution_count=1),
    new_output("error", ename="KeyError", evalue=SECRET, traceback=[f"----> check({SECRET})"]),
]


def cleaned(cell: NotebookNode, *, show_mark_scheme: bool = False) -> NotebookNode:
    step = DropHiddenChecks(show_mark_scheme=show_mark_scheme)
    assert step.enabled
    result, _ = step.preprocess_cell(cell, ResourcesDict(), 0)
    assert isinstance(result, NotebookNode)
    return result


def check_cell(*outputs: NotebookNode, source: str = CHECK) -> NotebookNode:
    cell: NotebookNode = nbformat.from_dict(new_code_cell(source.strip(), outputs=list(outputs)))
    return cell


def test_findings_stay_and_nothing_else() -> None:
    cell = cleaned(check_cell(*LEAKS, FOUND))
    assert cell.source == "# Hidden check (4 points)."
    assert [item.data["text/html"] for item in cell.outputs] == ["<p>found</p>"]
    assert SECRET not in nbformat.writes(nbformat.v4.new_notebook(cells=[cell]))


@pytest.mark.parametrize(
    ("ename", "sentence"),
    [
        ("NameError", "found no function to call"),
        ("CellTimeoutError", "took too long"),
        ("ModuleNotFoundError", "Please tell your instructor"),
    ],
)
def test_an_error_becomes_a_sentence(ename: str, sentence: str) -> None:
    error = new_output("error", ename=ename, evalue=SECRET, traceback=[f"check({SECRET})"])
    (output,) = cleaned(check_cell(error)).outputs
    assert output.name == "stdout"
    assert sentence in output.text
    assert SECRET not in output.text


def test_an_unclosed_or_indented_region_is_dropped_too() -> None:
    open_end = f"# Check\n    ### BEGIN HIDDEN TESTS\n    check({SECRET})"
    assert cleaned(check_cell(source=open_end)).source == "# Check"


def test_a_learners_own_cell_stays_as_it_is() -> None:
    cell = check_cell(*LEAKS, source="mine()")
    before = nbformat.writes(nbformat.v4.new_notebook(cells=[cell]))
    assert nbformat.writes(nbformat.v4.new_notebook(cells=[cleaned(cell)])) == before


def test_a_marking_scheme_is_dropped_or_folded() -> None:
    text = (
        "Why?\n\n=== BEGIN MARK SCHEME ===\n\n| 1 | point |\n\n=== END MARK SCHEME ===\n\nThanks."
    )
    assert cleaned(new_markdown_cell(text)).source == "Why?\n\n\n\nThanks."
    folded = cleaned(new_markdown_cell(text), show_mark_scheme=True).source
    assert folded.startswith("Why?\n\n<details><summary>")
    assert folded.endswith("| 1 | point |\n\n</details>\n\nThanks.")
    assert "MARK SCHEME" not in folded
