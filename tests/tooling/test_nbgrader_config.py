"""nbgrader's settings load anywhere, and say what the course relies on."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from traitlets import TraitError
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

PROBE = """
import sys
from traitlets.config import PyFileConfigLoader
config = PyFileConfigLoader("nbgrader_config.py", path=sys.argv[1]).load_config()
assert "autograder.sealed" not in sys.modules
assert "SealedExecute" not in config
"""


def load(folder: Path) -> Config:
    loaded: Config = PyFileConfigLoader("nbgrader_config.py", path=str(folder)).load_config()
    return loaded


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


def test_submissions_are_sealed(config: Config, root: Path) -> None:
    from autograder.sealed import seal
    from autograder.sealed.settings import settings_of

    assert config.Autograde.sanitize_preprocessors == list(seal.SANITIZE)
    assert config.Autograde.autograde_preprocessors == list(seal.AUTOGRADE)
    settings = settings_of(config)
    assert settings is not None
    assert settings.mode == "sealed"
    assert settings.ward.interpreter == root / ".venv" / "bin" / "python"
    assert settings.ward.course_packages == {"crs": ("crs.exercises",)}
    assert "autograder" in settings.ward.hidden_packages


def test_without_a_learners_environment_the_one_that_grades_is_taken(
    root: Path, tmp_path: Path
) -> None:
    from autograder.sealed.settings import settings_of

    shutil.copy(root / "nbgrader_config.py", tmp_path)
    settings = settings_of(load(tmp_path))
    assert settings is not None
    assert settings.ward.interpreter == Path(sys.executable)
    assert settings.ward.mode == "sealed"


def test_the_skipping_tag_cannot_be_known(root: Path) -> None:
    tags = {load(root).Execute.skip_cells_with_tag for _ in range(3)}
    assert len(tags) == 3
    assert all(len(tag) >= 32 for tag in tags)


def test_it_loads_where_the_grading_side_is_not_installed(root: Path, tmp_path: Path) -> None:
    for folder in (tmp_path, root):  # at the root, a folder bears the package's name
        subprocess.run(
            [root / ".venv" / "bin" / "python", "-c", PROBE, str(root)], cwd=folder, check=True
        )


def test_nothing_is_graded_where_the_grading_side_is_not_installed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nbgrader.converters import Autograde
    from nbgrader.coursedir import CourseDirectory

    monkeypatch.setitem(sys.modules, "autograder", None)
    monkeypatch.setitem(sys.modules, "autograder.sealed", None)
    monkeypatch.setitem(sys.modules, "autograder.sealed.exporter", None)
    config = load(root)
    assert "SealedExecute" not in config
    with pytest.raises(TraitError):
        Autograde(coursedir=CourseDirectory(config=config), config=config)


def test_its_own_pieces_exist(config: Config) -> None:
    from traitlets.utils.importstring import import_item

    lists = (
        config.GenerateFeedback.preprocessors,
        config.Autograde.sanitize_preprocessors,
        config.Autograde.autograde_preprocessors,
        [config.Autograde.exporter_class, config.GenerateFeedback.exporter_class],
    )
    own = [name for names in lists for name in names if name.startswith("autograder.")]
    assert len(own) == 8
    for name in own:
        assert isinstance(import_item(name), type), name
