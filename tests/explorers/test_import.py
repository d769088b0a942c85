"""What a lesson's first cell imports loads nothing that only later cells need."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("heavy", ["pydantic", "yaml", "COPASI", "scipy", "plotly.basewidget"])
def test_importing_what_lessons_import_does_not_load(heavy: str) -> None:
    code = (
        "import sys, plotly.graph_objects, pandas, ipywidgets, anywidget\n"
        "before = set(sys.modules)\n"
        "import crs.explorers, crs.quiz, crs.guidelines.tables\n"
        "print(' '.join(set(sys.modules) - before))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    added = done.stdout.split()
    assert "crs.explorers" in added
    assert heavy not in added
