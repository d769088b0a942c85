"""nbgrader's settings load anywhere, and say what the course relies on."""

from __future__ import annotations

import subprocess
from pathlib import Path

import nbformat
import pytest
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

PROBE = """
import sys
from traitlets.config import PyFileConfigLoader
PyFileConfigLoader("nbgrader_config.py", path=sys.argv[1]).load_config()
assert "autograder" not in sys.modules
"""


@pytest.fixture
def config(root: Path) -> Config:
    loader = PyFileConfigLoader("nbgrader_config.py", path=str(root))
    # nbgrader reads the file several times into one configuration.
    merged = Config()
    for _ in range(3):
        merged.merge(loader.load_config())
    return merged


def test_feedback_is_our_page_and_drops_hidden_checks_once(config: Config) -> None:
    feedback = config.GenerateFeedback
    assert feedback.exporter_class == "autograder.feedback.FeedbackExporter"
    assert feedback.preprocessors == [
        "autograder.feedback.DropHiddenChecks",
        "autograder.feedback.MakePage",
    ]


def test_every_line_on_stderr_is_ignored(config: Config) -> None:
    from nbgrader.preprocessors import IgnorePattern

    result = {"output_type": "execute_result", "data": {"text/plain": "2.0"}, "metadata": {}}
    stderr = [
        {"output_type": "stream", "name": "stderr", "text": text}
        for text in ("UserWarning: careful\n", "\n", "two\nlines\n", "")
    ]
    cell = {"cell_type": "code", "source": "f()", "metadata": {}, "outputs": [*stderr, result]}
    step = IgnorePattern(config=config)
    assert step.enabled
    kept, _ = step.preprocess_cell(nbformat.from_dict(cell), {}, 0)
    assert kept.outputs == [result]


def test_the_skipping_tag_cannot_be_known(root: Path) -> None:
    tags = {
        PyFileConfigLoader("nbgrader_config.py", path=str(root))
        .load_config()
        .Execute.skip_cells_with_tag
        for _ in range(3)
    }
    assert len(tags) == 3
    assert all(len(tag) >= 32 for tag in tags)


def test_it_loads_where_the_grading_side_is_not_installed(root: Path, tmp_path: Path) -> None:
    subprocess.run(
        [root / ".venv" / "bin" / "python", "-c", PROBE, str(root)], cwd=tmp_path, check=True
    )


def test_its_own_pieces_exist(config: Config) -> None:
    from traitlets.utils.importstring import import_item

    lists = (config.GenerateFeedback.preprocessors, config.Autograde.sanitize_preprocessors)
    own = [name for names in lists for name in names if name.startswith("autograder.")]
    assert own
    for name in own:
        assert isinstance(import_item(name), type), name
