"""What a jail holds of the machine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.jail.bare import PACKAGE, bare_jail
from tests.jail.conftest import AS_ROOT

from autograder.jail import RUNTIME, JailError, JailSpec
from autograder.jail.system import furniture, python_at

PYTHON = Path(sys.executable)


def test_the_environment_and_its_base_are_shown_and_nothing_next_to_them(root: Path) -> None:
    found = furniture(JailSpec(PYTHON, (PACKAGE,)))
    python = python_at(str(PYTHON))
    assert found.binds[python.prefix] == str(Path(python.prefix).resolve())
    assert found.binds[f"{RUNTIME}/jail"] == str(PACKAGE.resolve())
    for place, source in found.binds.items():
        assert not root.is_relative_to(source), f"{place} would show the whole checkout"
        assert Path(source) not in (root / "source", root / "autograder", Path.home(), Path("/etc"))
    # Packages of the base that the environment does not use.
    if not python.sees_base_packages:
        assert set(found.masks) >= {p for p in python.base_packages if Path(p).is_dir()}


def test_what_does_not_run_is_said(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho no such luck >&2\nexit 3\n")
    broken.chmod(0o755)
    with pytest.raises(JailError, match="no such luck"):
        furniture(JailSpec(broken, ()))
    with pytest.raises(JailError, match="No such file"):
        furniture(JailSpec(tmp_path / "absent", ()))


@pytest.mark.skipif(not AS_ROOT, reason="the second way is tried as this user elsewhere")
def test_only_and_hidden(tmp_path: Path) -> None:
    course = tmp_path / "course" / "pack"
    for name in ("__init__.py", "exercises/__init__.py", "answers/__init__.py", "secret.py"):
        (course / name).parent.mkdir(parents=True, exist_ok=True)
        (course / name).write_text(f"NAME = {name!r}")
    site = Path(PYTHON.parent.parent, "lib").glob("python3*/site-packages").__next__()
    hidden = (site / "pandas", site / "six.py")
    only = {course: ("__init__.py", "exercises")}
    with bare_jail(hidden=hidden, only=only, backend="namespaces") as jail:
        walked = jail.value(f"sorted(os.listdir({str(course)!r}))", "import os")
        assert walked == ["__init__.py", "exercises"]
        above = jail.value(f"os.listdir({str(tmp_path)!r})", "import os")
        assert above == ["course"]
        setup = f"import sys; sys.path.append({str(course.parent)!r})"
        assert jail.value("__import__('pack.exercises').exercises.NAME", setup)
        assert jail.value("__import__('pack.answers')", setup) == "ModuleNotFoundError"
        assert jail.value("__import__('pandas').DataFrame") == "AttributeError"
        for place in hidden:
            assert jail.value(f"os.listdir({str(place)!r})", "import os") in (
                *("PermissionError", "NotADirectoryError"),
            )
        assert jail.value(f"open({str(hidden[1])!r}).read()") == "PermissionError"
        assert jail.value(f"open({str(course / 'exercises/x.py')!r}, 'w')") == "OSError"


def test_the_launcher_needs_nothing_of_the_grader() -> None:
    """It starts without site-packages, so it must import the standard library alone."""
    code = (
        "import sys; sys.path.append(sys.argv[1]); import json, jail.outer; "
        "print(json.dumps(sorted(sys.modules)))"
    )
    loaded = json.loads(
        subprocess.run(
            [sys.executable, "-I", "-S", "-c", code, str(PACKAGE.parent)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    )
    tops = {name.split(".")[0] for name in loaded}
    assert tops - set(sys.stdlib_module_names) <= {"jail", "__main__"}
