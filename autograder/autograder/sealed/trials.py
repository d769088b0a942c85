"""The trials of the self-test: each tries to break one property of the seal, from inside a ward."""

import contextlib
import hashlib
import json
import secrets as random
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import autograder.jail
from autograder.sealed.examiner import ExaminerError, ExaminerHost
from autograder.sealed.limits import Limits
from autograder.sealed.wards import Ward, WardError, WardHost, WardSettings

Held = Literal["yes", "no", "cannot tell"]

_PROBES = Path(__file__).with_name("probes.py")
_MIB = 1 << 20
# Small enough to be met at once, large enough for the probes themselves.
LIMITS = Limits(
    cell_seconds=20,
    notebook_seconds=120,
    cpu_seconds=2,
    memory_mib=192,
    processes=12,
    open_files=64,
    disk_mib=4,
    cell_output_kib=64,
    notebook_output_kib=512,
)
_WALL_SECONDS = 0.3
_GONE_SECONDS = 10
CANARY_VARIABLE = "AUTOGRADER_SELF_TEST"


@dataclass(frozen=True)
class Finding:
    """What was found about one property.

    Attributes
    ----------
    what : str
        The property, such as ``"no network"``.
    tried : str
        What was tried from inside a ward.
    held : str
        ``"yes"``, ``"no"`` or ``"cannot tell"``.
    detail : str
        What was measured, or went wrong.
    """

    what: str
    tried: str
    held: Held
    detail: str = ""


@dataclass(frozen=True)
class Trial:
    """What the probes need to know.

    Attributes
    ----------
    host : WardHost
        Opens wards.
    settings : WardSettings
        Of those wards.
    backend : str
        How they are jailed.
    paths : tuple of Path
        What must not exist in a ward.
    canary : str
        A secret of this process, in its memory and in its environment.
    folder : Path
        A folder that every user of this machine can read, with a secret in it.
    """

    host: WardHost
    settings: WardSettings
    backend: str
    paths: tuple[Path, ...]
    canary: str
    folder: Path


class ProbeError(Exception):
    """A probe did not come to its end; the message says why."""


def make_all(trial: Trial) -> tuple[Finding, ...]:
    """Make all trials; those that have to wait for something run at the same time as others."""
    waiting = (_wall_time, _stubborn, _processor_time, _death_of_the_grader, _examiner)
    prompt = (
        _files,
        _hidden,
        _writes,
        _network,
        _processes,
        _init,
        _privileges,
        _environment,
        _memory_of_the_grader,
        _other_submissions,
        _survivors,
        _memory,
        _process_count,
        _open_files,
        _disk,
        _output,
        _raised_limits,
    )
    with ThreadPoolExecutor(len(waiting)) as pool:
        started = [pool.submit(_judge, make, trial) for make in waiting]
        findings = [finding for make in prompt if (finding := _judge(make, trial))]
        findings += [finding for future in started if (finding := future.result())]
    return tuple(findings)


def _judge(make: Callable[[Trial], Finding | None], trial: Trial) -> Finding | None:
    try:
        return make(trial)
    except (ProbeError, WardError, ExaminerError, OSError) as error:
        name = make.__name__.strip("_").replace("_", " ")
        return Finding(
            name, "a probe of the self-test", "no", f"the probe did not end well: {error}"
        )


def _ask(ward: Ward, function: str, *arguments: object) -> Any:
    """Run one probe and return what it found."""
    mark = random.token_hex(8)
    source = (
        f"{_PROBES.read_text(encoding='utf-8')}\n"
        f"import json as _json\n"
        f"print({mark!r} + _json.dumps({function}(*_json.loads({json.dumps(arguments)!r}))))"
    )
    run = ward.run(source)
    for output in run.outputs:
        text = output.get("text")
        for line in str(text).splitlines() if output.get("output_type") == "stream" else ():
            if line.startswith(mark):
                return json.loads(line.removeprefix(mark))
    reason = run.diagnosis or next(
        (
            f"{o.get('ename')}: {o.get('evalue')}"
            for o in run.outputs
            if o["output_type"] == "error"
        ),
        run.status,
    )
    raise ProbeError(reason)


def _asked(trial: Trial, function: str, *arguments: object) -> Any:
    with trial.host.open({}, {}) as ward:
        return _ask(ward, function, *arguments)


def _unless(what: str, tried: str, broken: Sequence[object], fine: str = "") -> Finding:
    detail = ", ".join(map(str, broken[:5])) + (" and more" if len(broken) > 5 else "")
    return Finding(what, tried, "no" if broken else "yes", detail or fine)


def _files(trial: Trial) -> Finding:
    secret = trial.folder / f"secret-{random.token_hex(8)}"
    secret.write_text(trial.canary)
    secret.chmod(0o644)
    paths = [str(path.absolute()) for path in (*trial.paths, secret)]
    read = [*paths, "/etc/shadow", "/etc/machine-id", "/proc/sys/kernel/random/boot_id"]
    with trial.host.open({}, {}) as ward:
        broken = _ask(ward, "seen", paths, [secret.name]) if trial.backend == "namespaces" else []
        broken += _ask(ward, "readable", read)
    fine = "" if trial.backend == "namespaces" else "though names of files can be guessed"
    return _unless(
        "no files of the machine", "gradebook, source, a secret; by 4 paths each", broken, fine
    )


def _hidden(trial: Trial) -> Finding | None:
    if trial.settings.mode != "sealed":
        return None
    here = Path(__file__).parent.parent
    ours = [str(here / name) for name in ("exam.py", "exams", "sealed", "calling.py")]
    with trial.host.open({}, {}) as ward:
        broken = _ask(ward, "readable", [f"{path}/__init__.py" for path in ours] + ours)
        if trial.backend == "namespaces":
            # Names that no other package has.
            broken += _ask(ward, "seen", ours, ["selftest.py", "probes.py", "exams"])
        broken += _ask(ward, "modules", [*trial.settings.hidden_packages, "exams"])
    allowed = {name for names in trial.settings.course_packages.values() for name in names}
    for package in trial.settings.course_packages:
        with trial.host.open({}, {}) as ward:
            broken += [
                name
                for name in _ask(ward, "modules", [package])
                if name != package
                and not any((name + ".").startswith(f"{known}.") for known in allowed)
                and not any(known.startswith(f"{name}.") for known in allowed)
            ]
    return _unless("no hidden checks", "files and modules of the grading side", broken)


def _writes(trial: Trial) -> Finding:
    file = trial.folder / f"file-{random.token_hex(8)}"
    file.write_text(trial.canary)
    file.chmod(0o666)
    before = file.lstat(), sorted(trial.folder.iterdir())
    with trial.host.open({}, {}) as ward:
        broken = _ask(ward, "writable")
        _ask(ward, "tampered", str(file), str(trial.folder / "elsewhere"))
    if (file.lstat() if file.exists() else None, sorted(trial.folder.iterdir())) != before:
        broken = [*broken, "a file of the machine was changed"]
    return _unless(
        "nothing writable outside the home", "every folder, /proc, a file of the machine", broken
    )


def _network(trial: Trial) -> Finding:
    name = f"autograder-{random.token_hex(8)}"
    with contextlib.ExitStack() as stack:
        listeners = [
            stack.enter_context(socket.socket(family, kind))
            for family, kind in (
                (socket.AF_INET, socket.SOCK_STREAM),
                (socket.AF_UNIX, socket.SOCK_STREAM),
                (socket.AF_UNIX, socket.SOCK_STREAM),
                (socket.AF_INET, socket.SOCK_DGRAM),
            )
        ]
        listeners[0].bind(("127.0.0.1", 0))
        port = listeners[0].getsockname()[1]
        named = trial.folder / "listener"
        listeners[1].bind(str(named))
        named.chmod(0o777)
        listeners[2].bind("\0" + name)
        listeners[3].bind(("127.0.0.1", port))
        for listener in listeners[:3]:
            listener.listen()
        broken = _asked(trial, "reached", port, str(named), name)
        if select.select(listeners, [], [], 0)[0]:
            broken = [*broken, "something arrived"]
    return _unless("no network, no sockets", "listeners on 127.0.0.1 and on unix sockets", broken)


def _processes(trial: Trial) -> Finding:
    what, tried = "no processes of the machine", "to see and to kill one"
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)"],
        stdin=subprocess.DEVNULL,
    ) as bystander:
        try:
            found = _asked(trial, "processes", bystander.pid)
            time.sleep(0.01)
            killed = bystander.poll() is not None
        finally:
            bystander.kill()
    strangers = sorted(set(found["seen"]) - {1, *found["own"]})
    if killed:
        return Finding(what, tried, "no", "it was killed")
    if strangers:
        return Finding(what, tried, "no", f"{len(strangers)} can be seen")
    if found["signal"] != "ProcessLookupError":
        return Finding(
            what, tried, "cannot tell", "unreadable and unkillable; numbers can be guessed"
        )
    return Finding(what, tried, "yes")


def _init(trial: Trial) -> Finding:
    return _unless(
        "the watcher is out of reach", "to read, to limit and to end it", _asked(trial, "init")
    )


def _privileges(trial: Trial) -> Finding:
    return _unless(
        "no privileges", "capabilities, root, 8 system calls", _asked(trial, "privileges")
    )


def _environment(trial: Trial) -> Finding:
    texts = _asked(trial, "environment")
    broken = [
        text.split("=")[0] for text in texts if trial.canary in text or CANARY_VARIABLE in text
    ]
    return _unless("clean environment", "os.environ and /proc/*/environ", broken)


def _memory_of_the_grader(trial: Trial) -> Finding:
    digest = hashlib.sha256(trial.canary.encode()).hexdigest()
    what, tried = "nothing of the grader's memory", "all memory searched for a secret"
    try:
        found = _asked(trial, "remembers", digest)
    except ProbeError as error:
        if "FileNotFoundError" in str(error) or "PermissionError" in str(error):
            return Finding(
                what, tried, "cannot tell", "memory cannot be read; it is another program"
            )
        raise
    return _unless(what, tried, ["the secret"] if found else [])


def _other_submissions(trial: Trial) -> Finding:
    name = f"submission-{random.token_hex(8)}"
    with (
        trial.host.open({name: b"an answer"}, {}) as first,
        trial.host.open({}, {}) as second,
    ):
        _ask(first, "leave", name)
        places = [f"{home}/{name}" for home in ("/home/learner", "/tmp", "/dev/shm")]
        broken = _ask(second, "readable", places)
        if trial.backend == "namespaces":
            broken += _ask(second, "seen", [], [name])
        broken += _ask(second, "reached", 1, "/nowhere", name)
        # What the warm interpreter has open, all its forks would share.
        broken += sorted({*_ask(first, "held")} & {*_ask(second, "held")})
    with trial.host.open({}, {}) as later:
        broken += _ask(later, "readable", places)
    return _unless(
        "no other submissions", "files, sockets, memory of a ward now and before", broken
    )


def _survivors(trial: Trial) -> Finding:
    what, tried = "no survivors", "a daemon that ignores every signal"
    name = f"st-{random.token_hex(6)}"
    with trial.host.open({}, {}) as ward:
        _ask(ward, "start_daemon", name)
        if not _awaited(lambda: _named(name) == 1):
            return Finding(what, tried, "cannot tell", "processes cannot be listed here")
    left = _named(name)
    return _unless(what, tried, [f"{left} after the ward was closed"] if left else [])


def _named(name: str) -> int:
    """Count the living processes of the whole machine with a name."""
    count = 0
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            text = status.read_text(encoding="utf-8", errors="replace")
            count += f"({name})" in text and text.rpartition(")")[2].split()[0] not in "ZX"
    return count


def _awaited(met: Callable[[], bool], seconds: float = _GONE_SECONDS) -> bool:
    until = time.monotonic() + seconds
    while not met():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


_GRADER = """
import sys, time
sys.path.append(sys.argv[1])
import json
from pathlib import Path
import jail
told = json.loads(sys.argv[2])
spec = jail.JailSpec(Path(told["interpreter"]), (), backend=told["backend"])
code = "import ctypes, time; ctypes.CDLL(None).prctl(15, %r, 0, 0, 0); time.sleep(60)"
process = jail.launch(
    spec, ["-S", "-c", code % told["name"].encode()], [], jail.RawLimits(**told["limits"])
)
time.sleep(60)
"""


def _death_of_the_grader(trial: Trial) -> Finding:
    what, tried = "nothing outlives the grader", "a grader of its own, ended by SIGKILL"
    name = f"st-{random.token_hex(6)}"
    told = {
        "interpreter": str(trial.settings.interpreter),
        "backend": trial.settings.backend,
        "limits": asdict(LIMITS.raw()),
        "name": name,
    }
    package = str(Path(autograder.jail.__file__).parent.parent)
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _GRADER, package, json.dumps(told)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as grader:
        begun = _awaited(lambda: _named(name) == 1)
        grader.kill()
    if not begun:
        return Finding(what, tried, "cannot tell", "processes cannot be listed here")
    return _unless(what, tried, [] if _awaited(lambda: not _named(name)) else ["a jail lives on"])


def _within(what: str, tried: str, found: float, most: float, unit: str) -> Finding:
    return Finding(what, tried, "yes" if found <= most else "no", f"{found:g} of {most:g} {unit}")


def _memory(trial: Trial) -> Finding:
    what, tried = "memory is limited", "to take it, MiB by MiB"
    with trial.host.open({}, {}) as ward:
        try:
            found = _ask(ward, "most_memory")
        except ProbeError as error:
            return Finding(what, tried, "no" if ward.alive else "yes", _first_sentence(error))
    return _within(what, tried, found, LIMITS.memory_mib, "MiB")


def _first_sentence(error: Exception) -> str:
    return str(error).partition(". ")[0].rstrip(".")


def _process_count(trial: Trial) -> Finding:
    found = _asked(trial, "most_processes")
    return _within("processes are limited", "to fork", found, LIMITS.processes, "processes")


def _open_files(trial: Trial) -> Finding:
    found = _asked(trial, "most_files")
    return _within("open files are limited", "to open them", found, LIMITS.open_files, "files")


def _disk(trial: Trial) -> Finding:
    what, tried = "disk is limited", "to fill home, /tmp and /dev/shm"
    with trial.host.open({}, {}) as ward:
        try:
            found = _ask(ward, "most_disk")
        except ProbeError as error:
            return Finding(what, tried, "no" if ward.alive else "yes", _first_sentence(error))
    return _within(what, tried, found / _MIB, LIMITS.disk_mib, "MiB")


def _output(trial: Trial) -> Finding:
    with trial.host.open({}, {}) as ward:
        run = ward.run("for _ in range(20):\n    print('x' * 100_000)")
    size = sum(len(json.dumps(output)) for output in run.outputs) / 1024
    return _within(
        "output is limited", "to print 2 MB", round(size), 2 * LIMITS.cell_output_kib, "KiB"
    )


def _raised_limits(trial: Trial) -> Finding:
    return _unless("limits cannot be raised", "6 resource limits", _asked(trial, "raised"))


def _wall_time(trial: Trial) -> Finding:
    what, tried = "wall time is limited", f"to sleep in a cell that may take {_WALL_SECONDS} s"
    return _in_time(trial, what, tried, "import time\ntime.sleep(60)", _WALL_SECONDS)


def _stubborn(trial: Trial) -> Finding:
    source = "import time\nwhile True:\n    try: time.sleep(1)\n    except BaseException: pass"
    what = "interrupts cannot be ignored"
    return _in_time(trial, what, "to catch every exception", source, _WALL_SECONDS)


def _processor_time(trial: Trial) -> Finding:
    source = "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass"
    what, tried = "processor time is limited", "to ignore its signal"
    with trial.host.open({}, {}) as ward:
        run = ward.run(source, 90)
    ended = run.status in ("limit", "died")
    return Finding(what, tried, "yes" if ended else "no", f"{run.status} after {run.seconds:.1f} s")


def _in_time(trial: Trial, what: str, tried: str, source: str, seconds: float) -> Finding:
    with trial.host.open({}, {}) as ward:
        run = ward.run(source, seconds)
    stopped = run.status in ("timeout", "limit", "died") and run.seconds < 30
    return Finding(
        what, tried, "yes" if stopped else "no", f"{run.status} after {run.seconds:.1f} s"
    )


def _examiner(trial: Trial) -> Finding | None:
    """Have a check call a learner's function that searches its memory for what the check knows."""
    if trial.settings.mode != "sealed":
        return None
    what, tried = "checks run in another process", "a checked function searches its memory"
    secret = "canary" + random.token_hex(16)
    digest = hashlib.sha256(secret.encode()).hexdigest()
    learner = (
        f"{_PROBES.read_text(encoding='utf-8')}\n"
        "def seek(digest):\n"
        "    try:\n"
        "        return [os.getpid(), 'canary' in globals(), remembers(digest)]\n"
        "    except OSError:\n"
        "        return [os.getpid(), 'canary' in globals(), None]\n"
    )
    check = f"import os\ncanary = {secret!r}\nprint(os.getpid(), *seek({digest!r}))"
    with trial.host.open({}, {}) as ward, ExaminerHost() as host:
        ward.run(learner)
        holder = ward.checkpoint()
        ward.finish()
        with holder, host.open({}) as examiner:
            run = examiner.run(check, is_check=True, holder=holder, seconds=20)
    words = "".join(str(output.get("text", "")) for output in run.outputs).split()
    if len(words) != 4:
        return Finding(what, tried, "no", f"the check did not end well: {run.status}")
    here, there, named, found = words
    if here == there or named == "True" or found == "True":
        return Finding(what, tried, "no", "the function knew what the check knows")
    if found == "None":
        return Finding(what, tried, "yes", "by its number; memory cannot be read")
    return Finding(what, tried, "yes")
