"""A course as nbgrader's configuration describes it, read without nbgrader's apps."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from traitlets import Any as AnyTrait
from traitlets import Bool, Dict, Integer, Type
from traitlets.config import Config, LoggingConfigurable
from traitlets.config.loader import JSONFileConfigLoader, PyFileConfigLoader

from autograder.batch.errors import BatchError

CONFIG = "nbgrader_config"


class BaseConverter(LoggingConfigurable):
    """nbgrader's options of this name, read without importing its converters."""

    force = Bool(False).tag(config=True)
    permissions = Integer(0).tag(config=True)
    pre_convert_hook = AnyTrait(None, allow_none=True).tag(config=True)
    post_convert_hook = AnyTrait(None, allow_none=True).tag(config=True)


class Autograde(BaseConverter):
    """nbgrader's options of this name."""

    create_student = Bool(True).tag(config=True)
    # Named so that traitlets knows them; the seal has read them already.
    exporter_class = AnyTrait().tag(config=True)
    sanitize_preprocessors = AnyTrait().tag(config=True)
    autograde_preprocessors = AnyTrait().tag(config=True)
    exclude_overwriting = Dict({}).tag(config=True)


@dataclass(frozen=True)
class Course:
    """A course, and how it wants to be graded.

    Attributes
    ----------
    root : Path
        Its folder.
    config : Config
        All of nbgrader's configuration.
    directory : CourseDirectory
        nbgrader's own, with the names of folders and the gradebook.
    options : Autograde
        nbgrader's options for grading.
    """

    root: Path
    config: Any
    directory: Any
    options: Autograde

    @property
    def permissions(self) -> int:
        """The mode of autograded files, as nbgrader sets it."""
        told = self.options.permissions or (664 if self.directory.groupshared else 444)
        return int(str(told), 8)

    def folder(self, step: str, student: str, assignment: str) -> Path:
        """Name a folder of the course."""
        return Path(self.directory.format_path(step, student, assignment))

    def hook(self, name: str) -> Callable[..., Any] | None:
        """Find a hook of nbgrader's: ``pre_convert_hook`` or ``post_convert_hook``."""
        found = getattr(self.options, name)
        if isinstance(found, str):
            from importlib import import_module

            module, _, function = found.rpartition(".")
            found = getattr(import_module(module), function)
        return found if callable(found) else None

    def late_plugin(self) -> Any:
        """Make the plugin that says what a late submission loses."""
        from nbgrader.plugins import BasePlugin, LateSubmissionPlugin

        class AssignLatePenalties(LoggingConfigurable):
            plugin_class = Type(LateSubmissionPlugin, klass=BasePlugin).tag(config=True)

        options = AssignLatePenalties(config=self.config)
        return options.plugin_class(parent=options)


def find_course(start: Path) -> Path:
    """Find the course that a folder lies in.

    Parameters
    ----------
    start : Path
        Usually the working directory.

    Returns
    -------
    Path
        The nearest folder with a configuration of nbgrader; else the folder itself, as nbgrader
        does, which may be configured for the user or the machine.
    """
    here = start.resolve()
    for folder in (here, *here.parents):
        if (folder / f"{CONFIG}.py").is_file() or (folder / f"{CONFIG}.json").is_file():
            return folder
    return here


def read_course(root: Path, *, force: bool = False) -> Course:
    """Read a course's configuration as nbgrader does.

    That is: the machine's and the user's, the working directory's, and the course's own.

    Parameters
    ----------
    root : Path
        Where nbgrader would be started.
    force : bool
        Whether what is graded is graded again.

    Returns
    -------
    Course

    Raises
    ------
    BatchError
        If a configuration file fails.
    """
    from jupyter_core.paths import jupyter_config_path
    from nbgrader.coursedir import CourseDirectory

    config = Config()
    with _working_in(root):
        folders = [*reversed(jupyter_config_path()), str(root)]
        for folder in folders:
            for name in ("jupyter_config", CONFIG):
                _merge(config, folder, name)
        directory = CourseDirectory(config=config)
        if Path(directory.root).resolve() != root.resolve():
            _merge(config, directory.root, CONFIG)
            directory = CourseDirectory(config=config)
        options = Autograde(config=config)
    options.force = options.force or force
    return Course(Path(directory.root), config, directory, options)


def _merge(config: Config, folder: str, name: str) -> None:
    for suffix, loader in ((".json", JSONFileConfigLoader), (".py", PyFileConfigLoader)):
        path = Path(folder, name + suffix)
        if not path.is_file():
            continue
        try:
            config.merge(loader(path.name, path=folder).load_config())
        except Exception as error:
            raise BatchError(f"{path} fails: {type(error).__name__}: {error}") from error


@contextmanager
def _working_in(folder: Path) -> Iterator[None]:
    """Read configuration as nbgrader does: from the course's folder, which is importable."""
    before = Path.cwd()
    os.chdir(folder)
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        os.chdir(before)
