"""What of this machine a jail must hold, so that the learner's Python runs in it."""

# System calls take paths as text.
# ruff: noqa: PTH100, PTH110, PTH112, PTH113, PTH114, PTH115, PTH118, PTH119, PTH120, PTH207

from __future__ import annotations

import functools
import glob
import json
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .spec import HOME, INNER_ID, RUNTIME, JailError, JailSpec

_ASK = """
import json, site, sys, sysconfig
print(json.dumps({
    "base": sys.base_prefix,
    "exec_base": sys.base_exec_prefix,
    "standard": [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")],
    "dynamic": sysconfig.get_config_var("DESTSHARED"),
    "base_packages": site.getsitepackages([sys.base_prefix]),
}))
"""
_SYSTEM_PREFIXES = ("/usr", "/usr/local", "/")
# Folders of a Python installation that hold other installations.
_OTHER_INSTALLATIONS = ("envs", "pkgs")
_DEVICES = ("null", "zero", "full", "urandom", "random")
_DATA = ("/usr/share/zoneinfo", "/usr/lib/locale")


@dataclass
class Furniture:
    """What to put into a jail, in the order of use.

    Attributes
    ----------
    binds : dict of str to str
        Place inside: place outside.
    links : dict of str to str
        Symbolic link inside: its text.
    files : dict of str to str
        File inside: its text.
    copies : dict of str to str
        File inside: the file outside that is copied.
    masks : list of str
        Places inside that must be empty.
    only : dict of str to dict
        Folder inside: what it holds alone, as place below it and place outside.
    """

    binds: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)
    masks: list[str] = field(default_factory=list)
    only: dict[str, dict[str, str]] = field(default_factory=dict)

    def show(self, place: str | Path) -> None:
        """Show a file or folder at its own place, if it exists."""
        place = os.path.abspath(place)
        if os.path.exists(place):
            self.binds[place] = os.path.realpath(place)

    def show_program(self, place: str | Path) -> None:
        """Show a program, and the symbolic links that lead to it."""
        here = os.path.abspath(place)
        for _ in range(40):
            # A link in a folder's name, such as /bin for /usr/bin, is one of the jail's own links.
            here = os.path.join(os.path.realpath(os.path.dirname(here)), os.path.basename(here))
            if not os.path.islink(here):
                break
            text = os.readlink(here)
            self.links[here] = text
            here = os.path.normpath(os.path.join(os.path.dirname(here), text))
        if os.path.exists(here):
            self.binds[here] = here


@dataclass(frozen=True)
class Python:
    """Where a Python lies.

    Attributes
    ----------
    interpreter : str
        The program, by its full path.
    prefix : str
        Its environment.
    base : str
        The installation that the environment was made from; the same for none.
    base_packages : tuple of str
        The folders of packages of that installation.
    sees_base_packages : bool
        Whether the environment uses those.
    standard : tuple of str
        The standard library.
    """

    interpreter: str
    prefix: str
    base: str
    base_packages: tuple[str, ...]
    sees_base_packages: bool
    standard: tuple[str, ...]


@functools.lru_cache(maxsize=8)
def python_at(interpreter: str) -> Python:
    """Ask an interpreter where it lies.

    Parameters
    ----------
    interpreter : str
        Its path.

    Returns
    -------
    Python
        The answer.

    Raises
    ------
    JailError
        Where it does not run.
    """
    try:
        # Without its site module, so that nothing of the environment runs out here.
        answer = subprocess.run(
            [interpreter, "-I", "-S", "-B", "-c", _ASK],
            env={},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=60,
        )
        told = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        detail = getattr(error, "stderr", b"") or str(error).encode()
        reason = detail.decode(errors="replace").strip().splitlines()[-1:]
        raise JailError(f"run the learner's Python {interpreter}", " ".join(reason)) from error
    prefix = Path(interpreter).parent.parent
    settings = prefix / "pyvenv.cfg"
    environment = settings.is_file()
    sees = not environment or any(
        line.replace(" ", "").lower() == "include-system-site-packages=true"
        for line in settings.read_text(encoding="utf-8").splitlines()
    )
    return Python(
        interpreter=interpreter,
        prefix=str(prefix) if environment else told["base"],
        base=told["base"],
        base_packages=tuple(told["base_packages"]),
        sees_base_packages=sees,
        standard=tuple(
            path for path in {*told["standard"], told["dynamic"], told["exec_base"]} if path
        ),
    )


def furniture(spec: JailSpec) -> Furniture:
    """List all that a jail holds.

    Parameters
    ----------
    spec : JailSpec
        The jail.

    Returns
    -------
    Furniture
        Everything is read-only.
    """
    found = Furniture()
    python = python_at(os.path.abspath(spec.interpreter))
    _show_system(found)
    for name in spec.tools:
        path = shutil.which(name, path="/usr/bin:/bin")
        if path:
            found.show_program(path)
    _show_python(found, python)
    for folder in spec.runtime:
        found.binds[f"{RUNTIME}/{folder.name}"] = os.path.realpath(folder)
    for folder, allowed in spec.only.items():
        place = os.path.abspath(folder)
        found.only[place] = {
            name: os.path.realpath(os.path.join(place, name))
            for name in allowed
            if os.path.exists(os.path.join(place, name))
        }
    found.masks += [os.path.abspath(path) for path in spec.hidden]
    return found


def _show_system(found: Furniture) -> None:
    for top in ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"):
        if os.path.islink(top):
            found.links[top] = os.readlink(top)
    for folder in _library_folders():
        found.show(folder)
    for loader in [*glob.glob("/lib/ld-*.so*"), *glob.glob("/lib64/ld-*.so*")]:
        found.show_program(loader)
    for place in _DATA:
        found.show(place)
    for name in _DEVICES:
        found.binds[f"/dev/{name}"] = f"/dev/{name}"
    found.links |= {
        "/dev/fd": "/proc/self/fd",
        "/dev/stdin": "/proc/self/fd/0",
        "/dev/stdout": "/proc/self/fd/1",
        "/dev/stderr": "/proc/self/fd/2",
    }
    found.files |= {
        "/etc/passwd": f"learner:x:{INNER_ID}:{INNER_ID}:learner:{HOME}:/bin/sh\n",
        "/etc/group": f"learner:x:{INNER_ID}:\n",
        "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
        "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    }
    for place in ("/etc/ld.so.cache", "/etc/localtime"):
        if os.path.isfile(place):
            found.copies[place] = os.path.realpath(place)


def _library_folders() -> Iterator[str]:
    """Yield the folders of shared libraries that the dynamic linker searches."""
    triplet = sysconfig.get_config_var("MULTIARCH") or f"{os.uname().machine}-linux-gnu"
    several = os.path.isdir(f"/usr/lib/{triplet}") or os.path.isdir(f"/lib/{triplet}")
    usual = [f"/usr/lib/{triplet}", f"/lib/{triplet}"] if several else ["/usr/lib", "/lib"]
    for folder in [*usual, "/usr/lib64", "/lib64", *_configured(["/etc/ld.so.conf"])]:
        real = os.path.realpath(folder)
        # /usr/local/lib holds Python's packages of the whole machine, too: libraries alone.
        if real == "/usr/local/lib" or (several and real in ("/usr/lib", "/lib")):
            yield from glob.glob(f"{real}/*.so*")
        elif os.path.isdir(real):
            yield real


def _configured(files: Iterable[str]) -> Iterator[str]:
    for file in files:
        try:
            lines = Path(file).read_text(encoding="utf-8").splitlines()
        except OSError:
            continue
        for line in lines:
            line = line.split("#")[0].strip()
            if line.startswith("include "):
                pattern = os.path.join(os.path.dirname(file), line.removeprefix("include ").strip())
                yield from _configured(sorted(glob.glob(pattern)))
            elif line.startswith("/"):
                yield line


def _show_python(found: Furniture, python: Python) -> None:
    found.show_program(python.interpreter)
    base_is_system = python.base in _SYSTEM_PREFIXES
    if python.prefix != python.base:
        found.show(python.prefix)
    if base_is_system:
        for folder in python.standard:
            if folder not in _SYSTEM_PREFIXES:
                found.show(folder)
        for library in glob.glob(f"{python.base}/lib/libpython*"):
            found.show(library)
        if python.sees_base_packages:
            for folder in python.base_packages:
                found.show(folder)
    elif python.prefix == python.base:
        found.show(python.base)
    else:
        for name in ("lib", "lib64"):
            found.show(os.path.join(python.base, name))
    if not python.sees_base_packages:
        found.masks += [folder for folder in python.base_packages if os.path.isdir(folder)]
    found.masks += [
        os.path.join(python.base, name)
        for name in _OTHER_INSTALLATIONS
        if not base_is_system
        and os.path.isdir(os.path.join(python.base, name))
        # An environment of conda's own is what is shown, not a place next to it.
        and not python.prefix.startswith(os.path.join(python.base, name) + os.sep)
    ]
