"""Open the course: copy lessons and assignments to ``work/`` and start JupyterLab there.

``make learn`` runs this with the learner's environment. It works without make too, for example
from conda or on Windows: ``python tools/learn.py``.

What a learner wrote is never written over. Each file placed in ``work/`` is remembered by a
fingerprint. A file that still has it may be brought up to date; an edited one stays as it is, and
a newer release is put beside it. For notebooks the fingerprint covers the cells' text, not their
outputs, because running a lesson is not editing it.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Literal

import yaml

ROOT = Path(__file__).resolve().parent.parent
JUPYTER_CONFIG = ROOT / "tools" / "jupyter"
MANIFEST_NAME = ".placed.json"
STATE_NAME = ".jupyter"
LOG_NAME = "jupyter.log"
START_NAME = "START.md"
DEFAULT_PORT = 8888
START_TIMEOUT_S = 120.0

Outcome = Literal["placed", "updated", "current", "kept", "beside"]


@dataclass(frozen=True)
class Unit:
    """What is kept or brought up to date together: a lesson, or an assignment's folder.

    Attributes
    ----------
    name : str
        Name in ``work/``: a file's for a lesson, a folder's for an assignment.
    files : mapping of str to bytes
        Content by path relative to ``work/``, with forward slashes.
    """

    name: str
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class Placed:
    """What happened to one unit.

    Attributes
    ----------
    name : str
        The unit's name.
    outcome : str
        ``placed`` (was not there), ``updated`` (untouched by the learner, brought up to date),
        ``current`` (nothing to do), ``kept`` (edited; its release is one already seen) or
        ``beside`` (edited, and a newer release was put beside it).
    beside : str or None
        Where the newer release lies, relative to ``work/``.
    """

    name: str
    outcome: Outcome
    beside: str | None = None


@dataclass
class Manifest:
    """What was placed in ``work/`` before, by path: the fingerprint, and the newest one offered."""

    placed: dict[str, str] = field(default_factory=dict)
    offered: dict[str, str] = field(default_factory=dict)
    beside: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Read a manifest; a missing or damaged one counts as empty, which loses no edit."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            parts = [data[key] for key in ("placed", "offered", "beside")]
        except (OSError, ValueError, KeyError, TypeError):
            return cls()
        if not all(isinstance(part, dict) for part in parts):
            return cls()
        return cls(*parts)

    def write(self, path: Path) -> None:
        """Write the manifest in one step."""
        text = json.dumps(
            {"placed": self.placed, "offered": self.offered, "beside": self.beside},
            indent=1,
            sort_keys=True,
        )
        _write_atomically(path, text.encode() + b"\n")


def fingerprint(path: str, content: bytes) -> str:
    """Return what identifies a file's content for the question "did the learner edit it?".

    Parameters
    ----------
    path : str
        The file's name, whose ending says whether it is a notebook.
    content : bytes
        The file's content.

    Returns
    -------
    str
        A SHA-256 in hexadecimal: of the cells' types, texts and attachments for a notebook, of
        the bytes for anything else.
    """
    if path.endswith(".ipynb"):
        try:
            cells = [
                [cell["cell_type"], _joined(cell["source"]), cell.get("attachments", {})]
                for cell in json.loads(content)["cells"]
            ]
        except (ValueError, KeyError, TypeError, AttributeError):
            pass
        else:
            content = json.dumps(cells, sort_keys=True).encode()
    return hashlib.sha256(content).hexdigest()


def _joined(source: object) -> str:
    return "".join(source) if isinstance(source, list) else str(source)


def _write_atomically(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    partial.replace(path)


def _on_disk(path: Path) -> str | None:
    """Return a file's fingerprint, None where there is nothing, and a mark for anything odd."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        return "not a plain file"
    try:
        return fingerprint(path.name, path.read_bytes())
    except FileNotFoundError:
        return None


def course_units(root: Path) -> list[Unit]:
    """List what a learner gets: the lessons of ``course/``, then the folders of ``release/``."""
    lessons = [Unit(path.name, {path.name: path.read_bytes()}) for path in _lessons(root)]
    assignments = []
    for folder in _assignments(root):
        files = {
            f"{folder.name}/{path.relative_to(folder).as_posix()}": path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and ".ipynb_checkpoints" not in path.parts
        }
        if files:
            assignments.append(Unit(folder.name, files))
    return lessons + assignments


def _lessons(root: Path) -> list[Path]:
    return sorted((root / "course").glob("*.ipynb"))


def _assignments(root: Path) -> list[Path]:
    return sorted(path for path in (root / "release").glob("*") if path.is_dir())


def place(unit: Unit, work: Path, manifest: Manifest, today: datetime.date) -> Placed:
    """Bring one unit of ``work/`` up to date without touching what the learner edited.

    Parameters
    ----------
    unit : Unit
        What the course holds now.
    work : Path
        The learner's folder.
    manifest : Manifest
        What was placed before; updated in place.
    today : datetime.date
        The date that names a newer release put beside an edited one.

    Returns
    -------
    Placed
        What was done.
    """
    wanted = {path: fingerprint(path, content) for path, content in unit.files.items()}
    found = {path: _on_disk(work / path) for path in unit.files}
    edited = [
        path
        for path in unit.files
        if found[path] not in (None, wanted[path], manifest.placed.get(path))
    ]
    behind = [path for path in edited if manifest.placed.get(path) != wanted[path]]
    if not behind:
        return _update_in_place(unit, work, manifest, wanted, found, bool(edited))
    if all(manifest.offered.get(path) == wanted[path] for path in behind):
        earlier = manifest.beside.get(unit.name)
        there = earlier is not None and (work / earlier).exists()
        return Placed(unit.name, "kept", earlier if there else None)
    return _put_beside(unit, work, manifest, wanted, today)


def _update_in_place(
    unit: Unit,
    work: Path,
    manifest: Manifest,
    wanted: Mapping[str, str],
    found: Mapping[str, str | None],
    has_edits: bool,
) -> Placed:
    written = []
    for path, content in unit.files.items():
        untouched = found[path] is None or found[path] == manifest.placed.get(path)
        if untouched and found[path] != wanted[path]:
            _write_atomically(work / path, content)
            written.append(path)
        manifest.placed[path] = wanted[path]
    if not written:
        return Placed(unit.name, "kept" if has_edits else "current")
    new = all(found[path] is None for path in unit.files)
    return Placed(unit.name, "placed" if new else "updated")


def _put_beside(
    unit: Unit,
    work: Path,
    manifest: Manifest,
    wanted: Mapping[str, str],
    today: datetime.date,
) -> Placed:
    name = _free_name(unit.name, work, today)
    for path, content in unit.files.items():
        _write_atomically(work / (name + path.removeprefix(unit.name)), content)
        manifest.offered[path] = wanted[path]
    manifest.beside[unit.name] = name
    return Placed(unit.name, "beside", name)


def _free_name(name: str, work: Path, today: datetime.date) -> str:
    stem, dot, suffix = name.partition(".")
    for count in range(1, 1000):
        again = "" if count == 1 else f"-{count}"
        candidate = f"{stem}.new-{today.isoformat()}{again}{dot}{suffix}"
        if not (work / candidate).exists():
            return candidate
    message = f"{work} holds too many versions of {name}; delete the ones you do not need."
    raise FileExistsError(message)


def place_all(root: Path, work: Path, today: datetime.date) -> list[Placed]:
    """Copy the whole course to ``work/``, then write the start page.

    Parameters
    ----------
    root : Path
        The checkout, with ``course/`` and ``release/``.
    work : Path
        The learner's folder; made if missing.
    today : datetime.date
        The date that names newer releases put beside edited ones.

    Returns
    -------
    list of Placed
        One entry per lesson and assignment.
    """
    work.mkdir(parents=True, exist_ok=True)
    manifest = Manifest.read(work / MANIFEST_NAME)
    try:
        results = [place(unit, work, manifest, today) for unit in course_units(root)]
        page = start_page(root, results).encode()
        place(Unit(START_NAME, {START_NAME: page}), work, manifest, today)
    finally:
        manifest.write(work / MANIFEST_NAME)
    return results


def start_page(root: Path, results: list[Placed]) -> str:
    """Return the start page in Markdown: the modules, their lessons, assignments and state."""
    modules = yaml.safe_load((root / "course" / "modules.yaml").read_text(encoding="utf-8"))
    lessons = {path.stem for path in _lessons(root)}
    assignments = {folder.name: folder for folder in _assignments(root)}
    rows = [_module_row(module, lessons, assignments) for module in modules["modules"]]
    newer = [f"- `{r.beside}` is a newer release of `{r.name}`." for r in results if r.beside]
    note = (
        "\n## Newer releases\n\nYou edited these, so your copies stay as they are, "
        "and the newer release lies beside them.\n\n" + "\n".join(newer) + "\n"
        if newer
        else ""
    )
    return f"""# {modules["title"]}

{modules["summary"]}

**{modules["disclaimer"]}**

## Modules

| Module | Lesson | Assignment | State |
|---|---|---|---|
{chr(10).join(rows)}
{note}
## How to work

1. Open a lesson and choose *Run → Run All Cells*. Then read from the top: predict, try, and think.
2. Open its assignment, write your answers where it says so, and save. The *Validate* button runs
   the visible checks.
3. For feedback on the hidden checks, run `make practice A=05-grading` in a terminal in the
   course's folder, with the name of your assignment. (Without make, the README says how.)

These are your own copies: nothing that you write is ever written over. To start a notebook afresh,
rename or delete it and run `make learn` again.
"""


def _module_row(
    module: Mapping[str, Any], lessons: set[str], assignments: Mapping[str, Path]
) -> str:
    name = module["name"]
    lesson = f"[Lesson]({name}.ipynb)" if name in lessons else "–"
    folder = assignments.get(name)
    notebooks = sorted(folder.glob("*.ipynb")) if folder else []
    assignment = f"[Assignment]({name}/{notebooks[0].name})" if notebooks else "–"
    state = "ready" if name in lessons and notebooks else "in preparation"
    if name in lessons and not notebooks:
        state = "lesson ready, assignment in preparation"
    return f"| **{module['title']}**: {module['teaches']} | {lesson} | {assignment} | {state} |"


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab.

    Attributes
    ----------
    url : str
        Address without the token, ending in a slash.
    token : str
        What lets a browser in.
    root : Path
        The folder it shows.
    process : subprocess.Popen
        The server's process.
    log : Path
        Where the server writes its messages.
    """

    url: str
    token: str
    root: Path
    process: subprocess.Popen[bytes]
    log: Path

    def address(self, path: str) -> str:
        """Return the address that opens ``path`` (relative to the root) in JupyterLab."""
        return f"{self.url}lab/tree/{path}?token={self.token}"


class LabError(RuntimeError):
    """JupyterLab did not start; the message says why, with the end of its log."""


def free_port(first: int, *, tries: int = 100) -> int:
    """Return the first free local port from ``first`` on; for 0, any that the system offers."""
    if first == 0:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])
    for port in range(first, first + tries):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    message = f"No free port between {first} and {first + tries - 1}; name another: PORT=..."
    raise LabError(message)


def server_command(
    python: str, root: Path, port: int, *, start: str, open_browser: bool
) -> list[str]:
    """Return the command that starts JupyterLab in ``root``."""
    command = [
        python,
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={root}",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.open_browser={open_browser}",
        f"--LabApp.default_url=/lab/tree/{start}",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    return command


def server_environment(token: str, root: Path, *configs: Path) -> dict[str, str]:
    """Return the environment of the server: its token and the course's settings.

    The token goes by the environment because other users can read a command line. PYTHONPATH is
    dropped: lessons must run on what is installed. Open tabs are remembered in ``root``, apart
    from those of any other JupyterLab of this user.
    """
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    paths = [str(path) for path in (*configs, JUPYTER_CONFIG)]
    inherited = environment.get("JUPYTER_CONFIG_PATH")
    environment["JUPYTER_CONFIG_PATH"] = os.pathsep.join(paths + ([inherited] if inherited else []))
    environment["JUPYTER_TOKEN"] = token
    environment["JUPYTERLAB_WORKSPACES_DIR"] = str(root / STATE_NAME / "workspaces")
    environment["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    return environment


@contextmanager
def running_lab(
    root: Path,
    *,
    python: str = sys.executable,
    port: int = DEFAULT_PORT,
    start: str = START_NAME,
    open_browser: bool = False,
    configs: tuple[Path, ...] = (),
    log: Path | None = None,
) -> Iterator[Lab]:
    """Run JupyterLab in ``root`` until the block ends.

    Parameters
    ----------
    root : Path
        The folder that JupyterLab shows.
    python : str
        The interpreter whose JupyterLab and kernel are used.
    port : int
        The first port to try; 0 for any.
    start : str
        What to open, relative to ``root``.
    open_browser : bool
        Whether the server opens a browser window.
    configs : tuple of Path
        Further folders of Jupyter settings, which win over the course's own.
    log : Path or None
        Where the server's messages go; by default below a hidden folder of ``root``.

    Yields
    ------
    Lab
        The running server, already answering.
    """
    token = secrets.token_urlsafe(24)
    port = free_port(port)
    log = log or root / STATE_NAME / LOG_NAME
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        # In a session of its own, so that Ctrl+C reaches only this script, which then stops the
        # server without Jupyter's question on the terminal.
        process = subprocess.Popen(
            server_command(python, root, port, start=start, open_browser=open_browser),
            cwd=root,
            env=server_environment(token, root, *configs),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    lab = Lab(f"http://localhost:{port}/", token, root, process, log)
    try:
        _wait_until_ready(lab)
        yield lab
    finally:
        _stop(process)


def _wait_until_ready(lab: Lab) -> None:
    request = urllib.request.Request(
        f"{lab.url}api/status", headers={"Authorization": f"token {lab.token}"}
    )
    # Straight to the local server: a proxy set for the internet does not know it.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if lab.process.poll() is not None:
            message = f"JupyterLab stopped while starting. The end of {lab.log}:\n{_tail(lab.log)}"
            raise LabError(message)
        try:
            with opener.open(request, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    message = f"JupyterLab did not answer in {START_TIMEOUT_S:.0f} s. {lab.log}:\n{_tail(lab.log)}"
    raise LabError(message)


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wants_browser(environment: Mapping[str, str], platform: str) -> bool:
    """Say whether to open a browser: not where told so, in CI, or on Linux without a display."""
    if environment.get("NO_BROWSER", "") not in ("", "0") or environment.get("CI"):
        return False
    if platform.startswith("linux"):
        return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))
    return True


_SAYINGS: dict[Outcome, str] = {
    "placed": "  new         {name}",
    "updated": "  updated     {name} (you had not edited it)",
    "current": "  up to date  {name}",
    "kept": "  yours       {name} (you edited it; left as it is)",
    "beside": "  yours       {name} (you edited it; left as it is)\n"
    "  NEWER       {beside} is its newer release, beside your own",
}


def _kind(name: str) -> str:
    return f"lesson {name}" if name.endswith(".ipynb") else f"assignment {name}/"


def say(text: str) -> None:
    """Tell the user what happens, at once."""
    print(text, flush=True)


def _raise_interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(description="Open the course in JupyterLab.")
    parser.add_argument("--work", type=Path, default=ROOT / "work", help="the learner's folder")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="the first port to try")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument("--copy-only", action="store_true", help="copy, but do not start")
    options = parser.parse_args(arguments)

    work: Path = options.work.resolve()
    say(f"Copying lessons and assignments to {work}")
    for result in place_all(ROOT, work, datetime.date.today()):
        say(_SAYINGS[result.outcome].format(name=_kind(result.name), beside=result.beside))
    if options.copy_only:
        say(f"Next: open {START_NAME} in {work}, or run this again without --copy-only.")
        return 0

    open_browser = wants_browser(os.environ, sys.platform) and not options.no_browser
    say("Starting JupyterLab (a few seconds)")
    signal.signal(signal.SIGTERM, _raise_interrupt)
    try:
        with running_lab(work, port=options.port, open_browser=open_browser) as lab:
            say(f"\nThe course is open at\n\n    {lab.address(START_NAME)}\n")
            say(
                "Next: "
                + ("if no window opened, open" if open_browser else "open")
                + " this address in a browser on this machine. Stop with Ctrl+C."
            )
            lab.process.wait()
    except KeyboardInterrupt:
        say("\nJupyterLab is stopped; your work is saved in " + str(work))
        say("Next: make learn opens it again. make practice A=05-grading grades your answers.")
        return 0
    except LabError as failure:
        print(failure, file=sys.stderr)
        return 1
    say("JupyterLab ended. Next: make learn opens it again.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
