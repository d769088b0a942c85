"""Wards in the real jail: what runs there, what ends there, and what stays."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.ward.conftest import COURSE

from autograder.sealed import wards
from autograder.sealed.conversation import Conversation, connect
from autograder.sealed.limits import Limits
from autograder.sealed.wards import (
    BadFile,
    CellRun,
    Ward,
    WardError,
    WardHost,
    WardSettings,
    _output,
    _parse,
    check_files,
    jail_spec,
)
from autograder.ward import frames


@pytest.fixture
def ward(host: WardHost) -> Iterator[Ward]:
    with host.open({}, {}) as opened:
        yield opened


def result_of(run: CellRun) -> str:
    results = [item for item in run.outputs if item["output_type"] == "execute_result"]
    assert len(results) == 1, run
    return str(results[0]["data"]["text/plain"])


def printed(run: CellRun) -> str:
    return "".join(item["text"] for item in run.outputs if item["output_type"] == "stream")


def descendants(top: int) -> set[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except (OSError, ValueError):
            continue
        if fields[0] not in "ZX":
            parents[int(entry.name)] = int(fields[1])
    found = {top}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {top}


def processes_of(host: WardHost) -> set[int]:
    assert host._process is not None
    return descendants(host._process.pid)


def asked(sock: socket.socket, number: int, request: dict[str, Any]) -> Any:
    frames.send(sock, request | {"id": number})
    reply, _ = frames.receive(sock, 10)
    assert reply.pop("id") == number
    return reply


def read(holder: socket.socket, name: str) -> Any:
    """Ask a fresh copy for a variable."""
    with connect(holder) as sock:
        return asked(sock, 1, {"do": "get", "name": name})


# Cells


def test_cells_run_in_order_in_one_namespace(ward: Ward) -> None:
    assert ward.run("x = 6").status == "ok"
    run = ward.run("x * 7")
    assert (run.status, result_of(run), run.execution_count, run.diagnosis) == ("ok", "42", 2, "")
    failed = ward.run("x / 0", number=9)
    assert (failed.status, failed.execution_count) == ("error", 9)
    assert "In[9]" in "".join(failed.outputs[0]["traceback"])
    assert ward.alive


def test_the_submissions_files_are_there_and_shadow_nothing(host: WardHost) -> None:
    files = {
        "data.txt": b"hello",
        "deep/er/data.txt": b"deeper",
        "helper.py": b"answer = 42",
        "numpy.py": b"raise SystemExit('shadowed')",
        "json.py": b"raise SystemExit('shadowed')",
        "mimetypes.py": b"raise SystemExit('shadowed')",
    }
    with host.open(files, {"COLOR": "green"}) as ward:
        run = ward.run(
            "import helper, numpy, json, mimetypes, os\n"
            "text = open('data.txt').read() + open('deep/er/data.txt').read()\n"
            "numpy.zeros(1), helper.answer, text, os.environ['COLOR'], os.getcwd() == "
            "os.path.expanduser('~')"
        )
    assert result_of(run) == "(array([0.]), 42, 'hellodeeper', 'green', True)"


def test_two_wards_share_nothing(host: WardHost) -> None:
    with host.open({}, {}) as one, host.open({}, {}) as other:
        one.run("x = 1; open('note', 'w').write('x'); open('/tmp/note', 'w').write('x')")
        run = other.run(
            "import os\n('x' in globals(), os.path.exists('note'), os.path.exists('/tmp/note'))"
        )
        assert result_of(run) == "(False, False, False)"
        random = "import random, numpy\n(random.random(), numpy.random.rand())"
        assert result_of(one.run(random)) != result_of(other.run(random))


def test_the_environment_and_the_arguments_tell_nothing(ward: Ward) -> None:
    run = ward.run(
        "import os, sys\nopen('/proc/self/environ').read().lower(), sys.argv, dict(os.environ)"
    )
    said = result_of(run).lower()
    for secret in ("autograder", "nbgrader", "secret", "token", "/work", "exams"):
        assert secret not in said


def test_the_allowed_part_of_the_course_is_real_and_the_rest_is_not_there(ward: Ward) -> None:
    run = ward.run(
        "from crs.exercises import example_timeline\n"
        "from crs.guidelines import thresholds\n"
        "import crs.guidelines, crs, os, autograder.exams.grading as exam\n"
        "here = os.path.dirname(crs.__file__)\n"
        "print(example_timeline.__module__, thresholds, exam.astct_grade.examine(3))\n"
        "sorted(os.listdir(here))"
    )
    assert run.status == "ok", run
    assert printed(run) == (
        "crs.exercises.tables not available while grading not available while grading\n"
    )
    assert result_of(run) == "['__init__.py', 'exercises']"


def test_nothing_of_the_checkout_is_there(ward: Ward) -> None:
    run = ward.run(
        "import os, pathlib\nprint(sorted(os.listdir('/opt/ward')))\n"
        "print([str(path) for path in pathlib.Path('/').rglob('*') if path.name in NAMES])".replace(
            "NAMES", "('exams', 'guidelines', 'source', 'submitted', '.git', 'nbgrader_config.py')"
        )
    )
    _, found = printed(run).splitlines()
    assert [path for path in ast.literal_eval(found) if "/lib/python3" not in path] == [], run


# Interrupts and ends


@pytest.mark.parametrize(
    "source",
    [
        "while True:\n    pass",
        "import time\ntime.sleep(100)",
        "import asyncio\nawait asyncio.sleep(100)",
        "!sleep 100",
        "import subprocess\nsubprocess.run(['sleep', '100'])",
        "try:\n    while True:\n        x = 1\nexcept KeyboardInterrupt:\n    pass",
        "import threading\nthreading.Event().wait()",
        "while True:\n    print('x' * 1000)",
    ],
)
def test_a_slow_cell_is_interrupted_and_the_next_one_runs(ward: Ward, source: str) -> None:
    run = ward.run("kept = 42")
    run = ward.run(source, 0.5)
    assert run.status == "timeout"
    assert run.seconds < 3
    assert run.outputs[-1]["ename"] == "CellTimeoutError"
    assert "ran longer than" in run.diagnosis
    assert ward.alive
    assert result_of(ward.run("kept")) == "42"


def test_what_was_printed_before_the_interrupt_is_kept(ward: Ward) -> None:
    run = ward.run("print('before')\nwhile True:\n    pass", 0.5)
    assert [item.get("text", item.get("ename")) for item in run.outputs] == [
        "before\n",
        "KeyboardInterrupt",
        "CellTimeoutError",
    ]


@pytest.mark.parametrize(
    ("source", "status", "phrase"),
    [
        ("import os\nos._exit(0)", "died", "os._exit"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "died", "signal 9"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)", "died", "signal 15"),
        ("import ctypes\nctypes.string_at(0)", "died", "crashed"),
        ("import os\nos.abort()", "died", "crashed"),
        ("import os\nos.closerange(3, 1000)", "died", ""),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", "timeout", "ran longer"),
        (
            "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True:\n    pass",
            "timeout",
            "ran longer",
        ),
        (
            "while True:\n    try:\n        while True:\n            x = 1\n"
            "    except BaseException:\n        x = 2",
            "timeout",
            "ran longer",
        ),
    ],
)
def test_a_lethal_cell_ends_its_notebook_with_a_word(
    ward: Ward, source: str, status: str, phrase: str
) -> None:
    run = ward.run(source, 1.0)
    assert run.status in ((status,) if status else ("died", "limit"))
    assert phrase in run.diagnosis
    assert run.outputs[-1]["output_type"] == "error"
    assert run.outputs[-1]["evalue"] == run.diagnosis
    assert run.seconds < 6
    assert not ward.alive
    after = ward.run("1")
    assert after.status == "died"
    assert after.seconds == 0


def test_a_recursion_beyond_all_bounds_ends_in_time(host: WardHost) -> None:
    with host.open({}, {}) as ward:
        run = ward.run("import sys\nsys.setrecursionlimit(10**9)\ndef f(): f()\nf()")
    assert run.status in ("died", "limit", "timeout")
    assert run.diagnosis
    assert run.seconds < 6


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("x = bytearray(10**9)", "400 MiB of memory"),
        ("x = []\nwhile True:\n    x.append(bytearray(2**20))", "400 MiB of memory"),
        ("import numpy\nnumpy.ones(10**9)", "400 MiB of memory"),
        (
            "for i in range(40):\n    open(f'{i}', 'wb').write(bytes(2**20))",
            "8 MiB of files",
        ),
        ("with open('x', 'wb') as f:\n    f.write(bytes(20 * 2**20))", "8 MiB of files"),
        ("files = [open('x', 'w') for _ in range(1000)]", "64 files"),
        (
            "import threading, time\n"
            "for _ in range(100):\n    threading.Thread(target=time.sleep, args=(5,)).start()",
            "24 processes",
        ),
        ("import os\nwhile True:\n    os.fork()", "24 processes"),
    ],
)
def test_a_limit_is_named_and_the_notebook_goes_on(ward: Ward, source: str, words: str) -> None:
    run = ward.run(source)
    assert run.status == "limit", run
    assert words in run.diagnosis
    assert ward.alive
    ward.run("x = None")
    assert result_of(ward.run("6 * 7")) == "42"


def test_many_processes_share_one_memory_limit(ward: Ward) -> None:
    run = ward.run(
        "import os, time\n"
        "for _ in range(6):\n"
        "    if os.fork() == 0:\n"
        "        x = b'x' * (200 * 2**20)\n"
        "        time.sleep(30)\n"
        "        os._exit(0)\n"
        "ends = [os.wait()[1] for _ in range(4)]\n"
        "[os.WTERMSIG(end) for end in ends]",
        20,
    )
    # Two of the six fit.
    assert result_of(run) == "[9, 9, 9, 9]"


def test_processor_time_is_limited(host: WardHost) -> None:
    limits = replace(host.settings.limits, cpu_seconds=1, cell_seconds=20)
    with (
        WardHost(replace(host.settings, limits=limits)) as short,
        short.open({}, {}) as ward,
    ):
        run = ward.run("while True:\n    pass")
    assert run.status == "limit"
    assert "1 seconds of processor time" in run.diagnosis


def test_the_notebook_has_a_time_and_a_size_of_its_own(host: WardHost) -> None:
    limits = replace(host.settings.limits, notebook_seconds=1.0, notebook_output_kib=20)
    with WardHost(replace(host.settings, limits=limits)) as short:
        with short.open({}, {}) as ward:
            runs = [ward.run("import time\ntime.sleep(0.7)") for _ in range(3)]
        assert [run.status for run in runs] == ["ok", "limit", "limit"]
        assert "in all" in runs[1].diagnosis
        with short.open({}, {}) as ward:
            sizes = [len(printed(ward.run("print('x' * 10_000)"))) for _ in range(5)]
        assert sizes[0] > 10_000
        assert sum(sizes) < 40_000


# Holders


def test_a_holder_keeps_the_notebook_as_it_was(ward: Ward) -> None:
    ward.run("x = 1\nlines = ['a']")
    first = ward.checkpoint()
    ward.run("x = 2\nlines.append('b')")
    second = ward.checkpoint()
    ward.run("x = 3")
    ward.finish()
    assert not ward.alive
    assert read(first, "x") == read(first, "x") == {"value": 1}
    assert read(second, "x") == {"value": 2}


def test_finish_ends_all_but_the_holders(host: WardHost, ward: Ward) -> None:
    before = processes_of(host)
    ward.run("x = 42")
    holder = ward.checkpoint()
    ward.run(DAEMONS)
    assert len(processes_of(host)) > len(before) + 3
    ward.finish()
    # The holder is there, and the cells' process is not.
    assert len(processes_of(host)) == len(before)
    assert read(holder, "x") == {"value": 42}
    ward.sweep()
    assert read(holder, "x") == {"value": 42}


def test_a_sweep_ends_what_a_check_left(host: WardHost, ward: Ward) -> None:
    ward.run(
        "import os, time\n"
        "def f():\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        time.sleep(100)\n"
        "    return 1"
    )
    holder = ward.checkpoint()
    ward.finish()
    before = processes_of(host)
    with connect(holder) as sock:
        _, function, _ = asked(sock, 1, {"do": "get", "name": "f"})["value"]
        call = {"do": "call", "function": function, "args": [], "kwargs": [], "seconds": 2}
        assert asked(sock, 2, call) == {"value": 1}
        copy_and_child = processes_of(host) - before
    assert len(copy_and_child) == 2
    ward.sweep()
    assert processes_of(host) <= before
    assert "value" in read(holder, "f")


def test_processes_of_a_cell_leave_room_for_a_copy(ward: Ward) -> None:
    run = ward.run(
        "import os, time\n"
        "x = 0\n"
        "try:\n"
        "    while True:\n"
        "        if os.fork() == 0:\n"
        "            time.sleep(100)\n"
        "            os._exit(0)\n"
        "        x += 1\n"
        "except BlockingIOError:\n"
        "    pass"
    )
    assert run.status == "ok"
    holder = ward.checkpoint()
    assert read(holder, "x")["value"] > 10
    assert result_of(ward.run("x > 10")) == "True"


def test_no_room_for_a_copy_is_said(ward: Ward) -> None:
    ward.run(
        "import threading, time\n"
        "try:\n"
        "    while True:\n"
        "        threading.Thread(target=time.sleep, args=(100,), daemon=True).start()\n"
        "except RuntimeError:\n"
        "    pass"
    )
    with pytest.raises(WardError, match="too many threads"):
        ward.checkpoint()
    assert not ward.alive


def test_no_copy_of_a_notebook_that_is_gone(ward: Ward) -> None:
    ward.run("import os\nos._exit(1)")
    with pytest.raises(WardError):
        ward.checkpoint()


def test_a_notebook_that_cannot_be_copied_says_so(ward: Ward) -> None:
    ward.run("import os\nos.register_at_fork(before=lambda: os._exit(1))")
    with pytest.raises(WardError):
        ward.checkpoint()
    assert not ward.alive


# Survivors

DAEMONS = textwrap.dedent(
    """
    import atexit, os, signal, subprocess, threading, time
    atexit.register(time.sleep, 100)
    threading.Thread(target=time.sleep, args=(100,), daemon=False).start()
    subprocess.Popen(['sleep', '100'], start_new_session=True)
    def deep(levels):
        if os.fork() == 0:
            os.setsid()
            for number in range(1, 65):
                try:
                    signal.signal(number, signal.SIG_IGN)
                except (OSError, ValueError):
                    pass
            if levels:
                deep(levels - 1)
            while True:
                time.sleep(1)
    deep(3)
    time.sleep(0.5)
    """
)


def test_nothing_survives_a_close(host: WardHost) -> None:
    host.open({}, {}).close()
    before = processes_of(host)
    ward = host.open({}, {})
    ward.run(DAEMONS)
    ward.checkpoint()
    assert len(processes_of(host)) > len(before) + 6
    started = time.monotonic()
    ward.close()
    assert time.monotonic() - started < 2
    assert processes_of(host) == before
    ward.close()


def test_nothing_survives_a_host(host: WardHost) -> None:
    with WardHost(host.settings) as own:
        ward = own.open({}, {})
        ward.run(DAEMONS)
        process = own._process
        assert process is not None
        inside = processes_of(own)
        assert len(inside) > 6
    assert process.poll() is not None
    assert not [pid for pid in inside if is_running(pid)]
    assert ward.run("1").status == "died"


def test_nothing_survives_a_ward_that_is_dropped(host: WardHost) -> None:
    with host.open({}, {}):
        pass
    before = processes_of(host)
    host.open({}, {}).run(DAEMONS)
    end = time.monotonic() + 10
    while len(processes_of(host)) > len(before):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_nothing_survives_a_grader_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "grader.py"
    script.write_text(
        "import sys, time\nfrom pathlib import Path\n"
        "from autograder.sealed.wards import WardHost, WardSettings\n"
        "host = WardHost(WardSettings(Path(sys.executable)))\n"
        f"ward = host.open({{}}, {{}})\nward.run({DAEMONS!r})\n"
        "print('ready', flush=True)\ntime.sleep(100)\n"
    )
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE) as grader:
        assert grader.stdout is not None
        assert grader.stdout.readline() == b"ready\n"
        inside = descendants(grader.pid)
        assert len(inside) > 6
        grader.kill()
    end = time.monotonic() + 10
    while left := [pid for pid in inside if is_running(pid)]:
        assert time.monotonic() < end, left
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


# The host


def test_the_host_starts_again_when_its_interpreter_is_gone(host: WardHost) -> None:
    with WardHost(host.settings) as own:
        own.open({}, {}).close()
        assert own._process is not None
        for pid in processes_of(own):
            # The end of one takes others along.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with own.open({}, {}) as ward:
            assert result_of(ward.run("6 * 7")) == "42"


def test_a_ward_of_a_dead_interpreter_is_dead_and_closes(host: WardHost) -> None:
    with WardHost(host.settings) as own:
        ward = own.open({}, {})
        for pid in processes_of(own):
            # The end of one takes others along.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert ward.run("1").status == "died"
        assert not ward.alive
        ward.close()


def test_an_interpreter_that_is_none_is_a_clear_error(tmp_path: Path) -> None:
    with (
        WardHost(WardSettings(tmp_path / "bin" / "python")) as own,
        pytest.raises(Exception, match="python"),
    ):
        own.open({}, {})


def test_threads_may_use_one_host(host: WardHost) -> None:
    results: dict[int, str] = {}

    def work(number: int) -> None:
        for _ in range(3):
            with host.open({}, {}) as ward:
                results[number] = result_of(ward.run(f"{number} * 7"))

    workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert results == {number: str(number * 7) for number in range(4)}


def test_a_fork_of_the_grader_gets_its_own(host: WardHost) -> None:
    with host.open({}, {}) as ward:
        ward.run("x = 42")
        pid = os.fork()
        if not pid:
            status = 1
            try:
                with host.open({}, {}) as own:
                    status = 0 if result_of(own.run("6 * 7")) == "42" else 2
                host.close()
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert result_of(ward.run("x")) == "42"


def test_modules_are_prepared_where_that_does_no_harm(host: WardHost) -> None:
    with WardHost(host.settings) as own:
        own.prepare(
            ["decimal", "no_such_module", "crs.exercises", "crs.guidelines", "autograder.exams"]
        )
        with own.open({}, {}) as ward:
            run = ward.run(
                "import sys\n[name in sys.modules for name in "
                "('decimal', 'crs.exercises', 'crs.guidelines', 'autograder')]"
            )
        assert result_of(run) == "[True, True, False, False]"


def test_modules_that_would_tie_wards_together_are_left_out(
    host: WardHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules = {
        "threading_one": "import threading, time\n"
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
        "sharing_one": "import mmap\nmemory = mmap.mmap(-1, 4096)",
        "crashing_one": "import os\nos._exit(0)",
        "failing_one": "1 / 0",
        "quiet_one": "answer = 42",
    }
    spec, path = jail_spec(host.settings)
    for name, code in modules.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(code)
    runtime = (*spec.runtime, *(tmp_path / name for name in modules))
    monkeypatch.setattr(wards, "jail_spec", lambda _: (replace(spec, runtime=runtime), path))
    with WardHost(host.settings) as own:
        own.prepare(list(modules))
        with own.open({}, {}) as ward:
            run = ward.run(f"import sys\n[name for name in {list(modules)} if name in sys.modules]")
            assert result_of(run) == "['quiet_one']"
            assert result_of(ward.run("import sharing_one\nlen(sharing_one.memory)")) == "4096"


def test_shared_mode_hides_nothing(host: WardHost) -> None:
    settings = WardSettings(Path(sys.executable), COURSE, mode="shared")
    with WardHost(settings) as own, own.open({}, {}) as ward:
        run = ward.run(
            "from autograder.exams import grading\nimport crs.guidelines\nprint(grading.__name__)"
        )
        assert printed(run) == "autograder.exams.grading\n", run


# Files


def test_written_files_come_back(host: WardHost) -> None:
    with host.open({"given.txt": b"given", "changed.txt": b"old"}, {}) as ward:
        ward.run(
            "import os\n"
            "open('changed.txt', 'w').write('new')\n"
            "os.mkdir('d')\nopen('d/new.bin', 'wb').write(b'\\xff')\n"
            "os.symlink('/etc/passwd', 'link')\nos.symlink('/etc', 'folder')\n"
            "os.mkfifo('pipe')\nopen('.hidden', 'w').write('x')\n"
            "open('large', 'wb').write(bytes(5000))\n"
            "open('bad\\nname', 'w').write('x')\n"
        )
        expected = {"changed.txt": b"new", "d/new.bin": b"\xff"}
        assert ward.files(1000) == expected
        ward.finish()
        assert ward.files(10_000) == {**expected, "large": bytes(5000)}


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../../x",
        "a/./x",
        "a//x",
        "./x",
        "a\nb",
        "a\x00b",
        "a\\b",
        "x" * 300,
        "/".join(["x" * 200] * 10),
    ],
)
def test_names_that_lead_elsewhere_are_refused(host: WardHost, name: str) -> None:
    with pytest.raises(BadFile):
        host.open({name: b""}, {})


def test_files_that_do_not_fit_are_the_submissions_fault(host: WardHost) -> None:
    files = {f"{number}": b"x" for number in range(1999)}
    limits = replace(host.settings.limits, disk_mib=1)
    with WardHost(replace(host.settings, limits=limits)) as small:
        with pytest.raises(BadFile, match="does not fit with the others"):
            small.open(files, {})
        process = small._process
        small.open({}, {}).close()
        assert small._process is process


def test_too_large_and_impossible_files_are_refused() -> None:
    limits = Limits(disk_mib=1)
    with pytest.raises(BadFile, match="does not fit"):
        check_files({"a": bytes(2**20)}, limits)
    with pytest.raises(BadFile, match="below another"):
        check_files({"a": b"", "a/b": b""}, limits)
    with pytest.raises(BadFile, match="allowed"):
        check_files({str(number): b"" for number in range(5000)}, limits)
    check_files({"ünï çödé.txt": b"x", "a/b/c.csv": b"y"}, limits)


# What comes out


@pytest.mark.parametrize(
    "output",
    [
        None,
        [],
        {},
        {"output_type": "nonsense"},
        {"output_type": "stream", "name": "stdin", "text": "x"},
        {"output_type": "stream", "name": "stdout", "text": ["x"]},
        {"output_type": "stream", "name": "stdout"},
        {"output_type": "error", "ename": 1, "evalue": "", "traceback": []},
        {"output_type": "error", "ename": "", "evalue": "", "traceback": [[]]},
        {"output_type": "display_data", "data": [], "metadata": {}},
        {"output_type": "display_data", "data": {"text/plain": 5}, "metadata": {}},
        {"output_type": "display_data", "data": {"text/html": {}}, "metadata": {}},
        {"output_type": "display_data", "data": {}},
    ],
)
def test_an_output_that_is_none_is_refused(output: Any) -> None:
    with pytest.raises(frames.Malformed):
        _output(output)


def test_outputs_keep_only_what_they_may_hold() -> None:
    reply = {
        "outputs": [
            {
                "output_type": "execute_result",
                "data": {"text/plain": "\ud800", "application/json": {"\udfff": ["\ud800", 1]}},
                "metadata": {},
                "execution_count": "many",
                "extra": 1,
            }
        ],
        "count": -5,
    }
    outputs, count = _parse(reply, 1000)
    assert count is None
    assert outputs == (
        {
            "output_type": "execute_result",
            "data": {"text/plain": "?", "application/json": {"?": ["?", 1]}},
            "metadata": {},
            "execution_count": None,
        },
    )


def test_numbers_that_a_notebook_cannot_hold_are_left_out() -> None:
    data = {"application/json": [*json.loads("[1e999, -1e999, 1.5, 7]"), 10**400]}
    output = {"output_type": "display_data", "data": data, "metadata": {"x": float("inf")}}
    assert _output(output)["data"] == {"application/json": [None, None, 1.5, 7, None]}
    assert _output(output)["metadata"] == {"x": None}


def test_what_is_nested_too_deeply_is_refused(ward: Ward) -> None:
    deep: Any = 0
    for _ in range(150):
        deep = [deep]
    output = {"output_type": "display_data", "data": {"a+json": deep}, "metadata": {}}
    with pytest.raises(frames.Malformed):
        _output(output)
    run = ward.run(FORGE.format(message={"id": 1, "outputs": [output], "count": 1}))
    assert run.status == "died"


FORGE = textwrap.dedent(
    """
    import json, os
    message = {message}
    data = message if isinstance(message, bytes) else json.dumps(message).encode()
    data = data if isinstance(message, bytes) else len(data).to_bytes(4, 'big') + data
    for fd in range(3, 60):
        try:
            os.write(fd, data)
        except OSError:
            pass
    """
)


@pytest.mark.parametrize(
    "message",
    [
        "{'id': 1}",
        "{'id': 1, 'outputs': 5, 'count': 1}",
        "{'id': 1, 'outputs': [{'output_type': 'bogus'}], 'count': 1}",
        "{'id': 1, 'outputs': [[]] * 10**5, 'count': 1}",
        "b'\\xff\\xff\\xff\\xff'",
        "b'\\x00\\x00\\x00\\x02hi'",
        "b'\\x00\\x00\\x00\\x40short'",
        "{'event': 'ended', 'code': 0, 'memory': True}",
        "{'done': True}",
    ],
)
def test_forged_messages_hurt_only_their_sender(host: WardHost, message: str) -> None:
    with host.open({}, {}) as ward:
        run = ward.run(FORGE.format(message=message))
        assert run.status in ("ok", "died", "limit")
        assert run.seconds < 5
        ward.finish()
    with host.open({}, {}) as ward:
        assert result_of(ward.run("6 * 7")) == "42"


def test_a_forged_answer_is_only_the_submissions_own_output(ward: Ward) -> None:
    message = "{'id': 1, 'outputs': [{'output_type': 'stream', 'name': 'stdout', 'text': 'mine'}]}"
    run = ward.run(FORGE.format(message=message))
    assert printed(run) == "mine"


# Settings


def test_only_the_allowed_files_of_a_package_are_shown() -> None:
    spec, _ = jail_spec(WardSettings(Path(sys.executable), {"crs": ("crs.exercises.tables",)}))
    (allowed,) = (names for place, names in spec.only.items() if place.name == "crs")
    assert allowed == ("__init__.py", "exercises/__init__.py", "exercises/tables.py")
    with pytest.raises(ValueError, match="no module of the package"):
        jail_spec(WardSettings(Path(sys.executable), {"crs": ("other.exercises",)}))


def test_a_ward_is_fast_once_its_interpreter_is_warm(host: WardHost) -> None:
    times = []
    for _ in range(8):
        started = time.monotonic()
        with host.open({}, {}) as ward:
            ward.run("1")
        times.append(time.monotonic() - started)
    # A fresh interpreter with pandas takes a second.
    assert sorted(times)[3] < 0.3, times


def test_copies_do_not_count_as_processes_of_the_submission(host: WardHost) -> None:
    """A notebook may have more checks than a submission may have processes."""
    places = host.settings.limits.processes + 20
    with host.open({}, {}, places) as ward:
        holders = []
        for place in range(places):
            assert ward.run(f"number = {place}").status == "ok"
            holders.append(ward.checkpoint())
        ward.finish()
        for place, holder in enumerate(holders):
            talk = Conversation()
            talk.start(lambda holder=holder: connect(holder))  # type: ignore[misc]  # a default
            talk.check(deadline=time.monotonic() + 20)
            assert talk.get("number").value == place
            talk.close()
        for holder in holders:
            holder.close()
