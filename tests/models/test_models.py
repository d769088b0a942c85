"""Model files: fresh, valid, and every number with its source."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from crs.models.parameters import load_model, model_ids


def test_sbml_is_what_the_antimony_files_make(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "tools/build_models.py", "--check"],
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("model", model_ids())
def test_every_parameter_has_a_unit_a_source_and_a_status(model: str) -> None:
    description = load_model(model)
    used = {parameter.source for parameter in description.parameters.values()}
    assert used == set(description.sources)
    for name, parameter in description.parameters.items():
        assert parameter.unit, name
        assert parameter.meaning, name


def test_every_equation_file_has_its_parameters(root: Path) -> None:
    folder = root / "course" / "crs" / "models" / "antimony"
    assert {path.stem for path in folder.glob("*.ant")} - {"infusions"} == set(model_ids())
