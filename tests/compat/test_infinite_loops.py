"""The notebooks with loops without end that nbgrader ships, one of which its own tests skip.

With stock nbgrader the second one fills the machine's memory. Both are graded here, within the
limits, and the next submission is graded as if nothing had happened.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import nbformat
import nbgrader
import pytest
from nbformat.v4 import new_code_cell, new_notebook

import compat
import process_tree

FILES = Path(nbgrader.__file__).parent / "tests" / "apps" / "files"
MOST_MIB = 2500  # the limit of one submission, and everything around it


def course(folder: Path, fixture: str) -> Path:
    for place in ("source/ps1", "submitted/ann/ps1"):
        (folder / place).mkdir(parents=True)
        (folder / place / "p1.ipynb").write_bytes((FILES / fixture).read_bytes())
    after = new_notebook(cells=[new_code_cell("print('still here')")])
    (folder / "submitted/ben/ps1").mkdir(parents=True)
    nbformat.write(after, folder / "submitted/ben/ps1/p1.ipynb")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["sealed", "shared"])
@pytest.mark.parametrize(
    ("fixture", "seconds"), [("infinite-loop.ipynb", 3), ("infinite-loop-with-output.ipynb", 30)]
)
def test_a_loop_without_end_is_graded(
    tmp_path: Path, mode: str, fixture: str, seconds: int
) -> None:
    folder = course(tmp_path / "course", fixture)
    env = compat.environment_for(tmp_path, mode)
    command = [str(compat.BIN / "nbgrader")]
    subprocess.run(
        [*command, "generate_assignment", "ps1"], cwd=folder, env=env, check=True, timeout=60
    )
    words = ["autograde", "ps1", f"--Execute.timeout={seconds}"]
    taken = process_tree.measure([*command, *words], cwd=folder, env=env, timeout=180)
    assert taken.status == 0, taken.output
    assert taken.peak_mib < MOST_MIB
    assert taken.wall_seconds < seconds + 60
    graded = {
        student: nbformat.read(folder / "autograded" / student / "ps1" / "p1.ipynb", as_version=4)
        for student in ("ann", "ben")
    }
    ended = [item for cell in graded["ann"].cells for item in cell.get("outputs", [])]
    assert any(item.output_type == "error" for item in ended), ended
    (cell,) = [cell for cell in graded["ben"].cells if cell.cell_type == "code"]
    assert [item.text for item in cell.outputs] == ["still here\n"]
