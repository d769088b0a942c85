"""nbgrader's models and tools without its server extensions."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def import_lean() -> None:
    """Let ``nbgrader.api`` and its like be imported in half a second instead of four.

    The package's own ``__init__`` imports every app and server extension, and a batch needs none
    of them. So the package is registered without running that file; it runs when something that
    it defines is asked for. Where nbgrader is imported already, nothing happens.

    Raises
    ------
    ModuleNotFoundError
        If nbgrader is not installed.
    """
    # Checks of web addresses in JSON schemas: a second to import, and no notebook asks for them.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    if "nbgrader" in sys.modules:
        return
    spec = importlib.util.find_spec("nbgrader")
    if spec is None:
        raise ModuleNotFoundError("No module named 'nbgrader'", name="nbgrader")
    package = importlib.util.module_from_spec(spec)
    package.__dict__["__getattr__"] = _whole(package)
    sys.modules["nbgrader"] = package


def _whole(package: ModuleType) -> object:
    """Make what runs the package's own file when one of its names is asked for."""

    def get(name: str) -> object:
        submodule = any(
            Path(folder, name + suffix).exists()
            for folder in package.__path__
            for suffix in ("", ".py")
        )
        spec = package.__spec__
        if submodule or (name.startswith("__") and name != "__version__"):
            raise AttributeError(f"module 'nbgrader' has no attribute {name!r}")
        del package.__dict__["__getattr__"]
        assert spec is not None
        assert spec.loader is not None
        spec.loader.exec_module(package)
        return getattr(package, name)

    return get
