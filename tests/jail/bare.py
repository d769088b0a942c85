"""A jail with nothing in it but our own code: what the tests attack."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import autograder.jail

PACKAGE = Path(autograder.jail.__file__).parent
DRIVER = Path(__file__).with_name("driver.py")
# An ordinary user without an account; one for each pytest-xdist worker, as a limit on processes
# counts all that a user has.
STRANGER = 12345 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
LIMITS = {
    "cpu_seconds": 10,
    "memory_bytes": 512 << 20,
    "processes": 32,
    "open_files": 128,
    "disk_bytes": 16 << 20,
    "file_bytes": 8 << 20,
}


@dataclass(frozen=True)
class Ran:
    """What came of a piece of code in a ward."""

    output: str
    status: int
    late: bool
    seconds: float


class BareJail:
    """One jail, and a new ward in it for every piece of code."""

    def __init__(self, process: subprocess.Popen[str], told: dict[str, Any]) -> None:
        self.process = process
        self.told = told

    def run(self, code: str, seconds: float = 20, **limits: int) -> Ran:
        return Ran(**self._ask(code, seconds, limits, wait=True))

    def start(self, code: str, seconds: float = 60, **limits: int) -> None:
        self._ask(code, seconds, limits, wait=False)

    def value(self, expression: str, setup: str = "") -> Any:
        """Evaluate an expression in a new ward; an exception comes back as its class name."""
        ran = self.run(
            f"import json\n{setup}\n"
            f"try: found = {expression}\n"
            "except BaseException as error: found = type(error).__name__\n"
            "print(json.dumps(found))"
        )
        assert ran.status == 0, ran
        return json.loads(ran.output.splitlines()[-1])

    def run_sharing_memory(self, code: str) -> Ran:
        """Run code in a ward whose template has memory that its forks share."""
        return Ran(**self._ask(code, 20, {}, wait=True, shared=True))

    def _ask(
        self, code: str, seconds: float, limits: Mapping[str, int], wait: bool, shared: bool = False
    ) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        request = {
            "code": code,
            "seconds": seconds,
            "limits": limits,
            "wait": wait,
            "shared": shared,
        }
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@contextmanager
def bare_jail(
    *,
    interpreter: Path = Path(sys.executable),
    package: Path = PACKAGE,
    driver: Path = DRIVER,
    uid: int | None = None,
    backend: str = "auto",
    refuse: bool = False,
    hidden: tuple[Path, ...] = (),
    only: Mapping[Path, tuple[str, ...]] | None = None,
) -> Iterator[BareJail]:
    """Start a jail as the user ``uid``; ``refuse`` has the machine refuse namespaces."""
    plan = {
        "interpreter": str(interpreter),
        "hidden": [str(path) for path in hidden],
        "only": {str(path): names for path, names in (only or {}).items()},
        "backend": backend,
        "limits": LIMITS,
        "refuse": refuse,
    }
    user = {} if uid is None else {"user": uid, "group": uid, "extra_groups": []}
    process = subprocess.Popen(
        [str(interpreter), "-I", "-B", str(driver), str(package.parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
        env={},
        **user,  # type: ignore[call-overload]
    )
    try:
        process.stdin.write(json.dumps(plan) + "\n")
        process.stdin.flush()
        yield BareJail(process, json.loads(process.stdout.readline()))
    finally:
        process.stdin.close()
        try:
            process.wait(20)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


def readable_python(folder: Path) -> tuple[Path, Path, Path]:
    """Copy Python, the jail and its driver to where any user may read them."""
    base = Path(sys.base_prefix)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    target = folder / "python"
    (target / "bin").mkdir(parents=True)
    shutil.copy2(base / "bin" / version, target / "bin" / version)
    shutil.copytree(
        base / "lib" / version,
        target / "lib" / version,
        ignore=shutil.ignore_patterns(
            "site-packages", "dist-packages", "test", "__pycache__", "*.a"
        ),
    )
    for library in (base / "lib").glob("libpython*.so*"):
        shutil.copy2(library, target / "lib" / library.name)
    shutil.copytree(PACKAGE, folder / "jail", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(DRIVER, folder / "driver.py")
    for place in [folder, *folder.rglob("*")]:
        place.chmod(
            0o755
            if place.is_dir() or (os.access(place, os.X_OK) and place.parent.name == "bin")
            else 0o644
        )
    return target / "bin" / version, folder / "jail", folder / "driver.py"
