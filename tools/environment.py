"""Set up the environments of this checkout, from the hash-locked requirements.

Usage: python3 tools/environment.py learner|grading|dev [...]

``learner`` makes ``.venv``: the learner's side alone, with ``crs`` installed as a learner has it.
``grading`` makes ``.venv-grading``: both sides, installed so that a change in the checkout counts
at once. ``dev`` adds what tests and checks need to ``.venv-grading``. What is up to date is left
alone. Only the standard library is used, as there is nothing else on a fresh machine.

Packages are installed by uv, and by pip where uv does not get through. INSTALL=pip or INSTALL=uv
in the environment asks for one of them.
"""

# Old interpreters must be able to read this file, to say that they are too old.

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
OLDEST = (3, 11)
BOOTSTRAP = ROOT / ".bootstrap"
LEARNER = ROOT / ".venv"
GRADING = ROOT / ".venv-grading"
STAMPS = ".crs-stamps"


class SetUpError(Exception):
    """Set-up cannot go on; the message says what to do."""


def say(text):
    # type: (str) -> None
    """Tell the user what happens, at once."""
    print(text)
    sys.stdout.flush()


def version_of(command):
    # type: (str) -> tuple[int, int] | None
    """Return the version of a Python command, or None where it does not run."""
    try:
        text = subprocess.check_output(
            [command, "-c", "import sys; print('%d %d' % sys.version_info[:2])"],
            stderr=subprocess.DEVNULL,
        )
        major, minor = text.split()
    except (OSError, ValueError, subprocess.CalledProcessError):
        return None
    return int(major), int(minor)


def find_python(running=sys.executable, own_version=sys.version_info[:2]):
    # type: (str, tuple[int, int]) -> str
    """Return a Python that is new enough: the one that runs this, or else one beside it."""
    if own_version >= OLDEST:
        return running
    for name in ("python3.13", "python3.12", "python3.11"):
        path = shutil.which(name)
        if path and (version_of(path) or (0, 0)) >= OLDEST:
            return path
    raise SetUpError(
        "This course needs Python {}.{} or newer, and python3 here is {}.{}.\n"
        "Install a newer Python from your system's packages or from python.org, then run the same "
        "command again.\nIf a newer one is already there under another name: "
        "make ... PYTHON=/path/to/python3".format(*OLDEST, *own_version)
    )


def bin_path(venv, name):
    # type: (Path, str) -> Path
    """Return the path of a command in a virtual environment."""
    if os.name == "nt":
        return venv / "Scripts" / (name + ".exe")
    return venv / "bin" / name


def run(command):
    # type: (list[object]) -> None
    """Run a command; where it fails, say which."""
    words = [str(word) for word in command]
    status = subprocess.call(words, stdin=subprocess.DEVNULL, cwd=str(ROOT))
    if status:
        raise SetUpError(
            "This command failed with status {}:\n  {}".format(status, " ".join(words))
        )


def make_venv(python, venv):
    # type: (str, Path) -> None
    """Make a virtual environment where there is none that works."""
    inside = bin_path(venv, "python")
    place = venv / STAMPS / "place"
    moved = place.exists() and place.read_text() != str(venv)
    if not moved and inside.exists() and (version_of(str(inside)) or (0, 0)) >= OLDEST:
        return
    if venv.exists():
        reason = "which was made for another folder" if moved else "whose Python does not run"
        say(f"Removing {venv.name}, {reason}")
        shutil.rmtree(str(venv))
    say(f"Making the environment {venv.name}")
    if subprocess.call([python, "-c", "import ensurepip, venv"], stderr=subprocess.DEVNULL):
        raise SetUpError(
            "This Python cannot make virtual environments: its venv module is missing.\n"
            "On Debian and Ubuntu: apt-get install python3-venv. Then run the same command again."
        )
    run([python, "-m", "venv", venv])
    # Its commands name the folder in which they were made.
    set_stamp(venv, "place", str(venv))


def digest_of(paths, *words):
    # type: (list[Path], str) -> str
    """Return one hash over files (and folders of files) and words."""
    digest = hashlib.sha256(repr(words).encode())
    for path in paths:
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in inside:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(str(file.relative_to(ROOT)).encode() + b"\0")
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def stamped(venv, name, digest):
    # type: (Path, str, str) -> bool
    """Say whether a step was done before for exactly this input."""
    stamp = venv / STAMPS / name
    return stamp.exists() and stamp.read_text() == digest


def set_stamp(venv, name, digest):
    # type: (Path, str, str) -> None
    """Remember that a step is done."""
    (venv / STAMPS).mkdir(exist_ok=True)
    (venv / STAMPS / name).write_text(digest)


def uv(python):
    # type: (str) -> Path
    """Return the pinned uv, installed by pip into an environment of its own on first use."""
    lock = LOCKS / "bootstrap.txt"
    digest = digest_of([lock])
    make_venv(python, BOOTSTRAP)
    if not stamped(BOOTSTRAP, "uv", digest):
        say("Fetching the installer uv")
        pip = [bin_path(BOOTSTRAP, "python"), "-m", "pip", "--disable-pip-version-check"]
        run([*pip, "install", "--quiet", "--require-hashes", "-r", lock])
        set_stamp(BOOTSTRAP, "uv", digest)
    return bin_path(BOOTSTRAP, "uv")


def install(python, venv, with_uv, with_pip):
    # type: (str, Path, list[object], list[object]) -> None
    """Install into ``venv`` by uv, and by pip where uv does not get through."""
    how = os.environ.get("INSTALL", "auto")
    if how not in ("auto", "uv", "pip"):
        raise SetUpError(f"INSTALL is {how!r}; it may be auto, uv or pip.")
    inside = bin_path(venv, "python")
    if how != "pip":
        try:
            run([uv(python), "pip", "install", "--quiet", "--python", inside, *with_uv])
            return
        except SetUpError as error:
            if how == "uv":
                raise
            say(f"{error}\nTrying again with pip, which may be set up for this network")
            os.environ["INSTALL"] = "pip"
    pip = [inside, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    run([*pip, *with_pip])


def install_lock(python, venv, name):
    # type: (str, Path, str) -> None
    """Install everything a lock file names, if it changed."""
    lock = LOCKS / (name + ".txt")
    digest = digest_of([lock])
    if stamped(venv, name, digest):
        return
    count = sum(1 for line in lock.read_text().splitlines() if "==" in line and line[0] != " ")
    say(f"Installing {count} pinned packages into {venv.name} (a minute or two at first)")
    words = ["--require-hashes", "-r", lock]
    install(python, venv, words, words)
    set_stamp(venv, name, digest)


def install_own(python, venv, projects, editable):
    # type: (str, Path, list[str], bool) -> None
    """Install the distributions of this checkout, if they changed."""
    folders = [ROOT / project for project in projects]
    # An editable install follows the sources by itself; a plain one is a copy of them.
    sources = [folder / "pyproject.toml" for folder in folders]
    sources += [] if editable else [ROOT / "course" / "crs"]
    digest = digest_of(sources, str(ROOT))
    if stamped(venv, "own", digest):
        return
    say("Installing {} into {}".format(" and ".join(projects), venv.name))
    words = ["--no-build-isolation", "--no-deps"]  # type: list[object]
    for folder in folders:
        words += ["-e", folder] if editable else [folder]
    install(
        python,
        venv,
        [*words, "--offline", "--reinstall", "--no-cache"],
        [*words, "--no-index", "--force-reinstall"],
    )
    set_stamp(venv, "own", digest)


def set_up(name, python):
    # type: (str, str) -> None
    """Bring one environment up to date."""
    if name == "learner":
        make_venv(python, LEARNER)
        install_lock(python, LEARNER, "learner")
        install_own(python, LEARNER, ["course"], editable=False)
    else:
        make_venv(python, GRADING)
        # The locks agree on every version, so the larger one holds the smaller.
        if name == "dev":
            install_lock(python, GRADING, "dev")
        elif not stamped(GRADING, "dev", digest_of([LOCKS / "dev.txt"])):
            install_lock(python, GRADING, "grading")
        install_own(python, GRADING, ["course", "autograder"], editable=True)


def main(names):
    # type: (list[str]) -> int
    """Run the command; return its exit status."""
    known = ("learner", "grading", "dev")
    if not names or any(name not in known for name in names):
        say("Usage: python3 tools/environment.py {}".format("|".join(known)))
        return 2
    try:
        python = find_python()
        for name in names:
            set_up(name, python)
    except SetUpError as error:
        sys.stderr.write(f"\n{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
