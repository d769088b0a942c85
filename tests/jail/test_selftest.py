"""The self-test finds that the seal holds here, and can find that it does not."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autograder.jail import JailError
from autograder.sealed import selftest, trials
from autograder.sealed.errors import NotSealed
from autograder.sealed.selftest import SelfTest, ensure, prove, table
from autograder.sealed.trials import Finding
from autograder.sealed.wards import CellRun, WardSettings

SETTINGS = WardSettings(Path(sys.executable), {"crs": ("crs.exercises",)})


@pytest.fixture(scope="module")
def proved(root: Path) -> SelfTest:
    """Prove it once for all tests."""
    return prove(SETTINGS, [root / "source", root / "gradebook.db", root / "autograder"])


def test_every_property_holds_here(proved: SelfTest) -> None:
    assert [finding for finding in proved.findings if finding.held != "yes"] == []
    assert proved.held
    assert proved.backend == "namespaces"
    assert len(proved.findings) >= 20


def test_it_leaves_nothing_behind(proved: SelfTest) -> None:
    assert trials.CANARY_VARIABLE not in os.environ
    # Trials that another test runs at this moment bear such names too, and end by themselves.
    left = _trials()
    for _ in range(900):
        left &= _trials()
        if not left:
            return
        time.sleep(0.1)
    pytest.fail(f"left behind: {left}")


def _trials() -> set[tuple[str, str]]:
    """List the processes that bear the name of a trial."""
    found = set()
    for place in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            found.add((place.parent.name, place.read_text()))
    return {(pid, name) for pid, name in found if name.startswith("st-")}


def test_the_table_says_it_all(proved: SelfTest) -> None:
    text = table(proved)
    for finding in proved.findings:
        assert finding.what in text
    assert f"{len(proved.findings)} of {len(proved.findings)} properties hold" in text
    broken = SelfTest((Finding("no network", "a listener", "no", "127.0.0.1"),), "landlock", 1.0)
    assert not broken.held
    assert "no: 127.0.0.1" in table(broken)


class BareWard:
    """No ward at all: a plain process of this user, in which the probes must succeed."""

    alive = True

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def __enter__(self) -> BareWard:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def run(self, source: str, seconds: float | None = None) -> CellRun:
        # A file: what a daemon keeps open would keep a pipe from ending.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                [sys.executable, "-c", source],
                check=False,
                stdout=output,
                stderr=subprocess.DEVNULL,
                cwd=self._folder,
                timeout=60,
            )
            output.seek(0)
            outputs = ({"output_type": "stream", "name": "stdout", "text": output.read()},)
        return CellRun(outputs, "error" if done.returncode else "ok", "", 0.0)


class BareHost:
    """Opens such wards."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def open(self, files: Mapping[str, bytes], environment: Mapping[str, str]) -> BareWard:
        return BareWard(self._folder)


@pytest.fixture
def unsealed() -> Iterator[trials.Trial]:
    """Lay out trials that meet no seal."""
    canary = "canary" + secrets.token_hex(16)
    os.environ[trials.CANARY_VARIABLE] = canary
    try:
        with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as folder:
            host: Any = BareHost(home)
            # As with Landlock: without a walk through the whole machine.
            yield trials.Trial(host, SETTINGS, "landlock", (), canary, Path(folder).resolve())
    finally:
        del os.environ[trials.CANARY_VARIABLE]


@pytest.mark.parametrize(
    "trial",
    ["_files", "_hidden", "_network", "_processes", "_environment", "_survivors", "_raised_limits"],
)
def test_without_a_seal_the_trials_fail(unsealed: trials.Trial, trial: str) -> None:
    try:
        found = getattr(trials, trial)(unsealed)
    finally:
        _end_daemons(unsealed.canary)
    assert found.held == "no", found


def _end_daemons(canary: str) -> None:
    """End what a trial left behind; never a trial of another test that runs at this moment."""
    for comm in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            started_here = canary.encode() in comm.with_name("environ").read_bytes()
            if started_here and comm.read_text().startswith("st-"):
                os.kill(int(comm.parent.name), signal.SIGKILL)


def test_a_probe_that_fails_is_a_failure(unsealed: trials.Trial) -> None:
    def broken(trial: trials.Trial) -> Finding:
        raise trials.ProbeError("it ended")

    assert trials._judge(broken, unsealed).held == "no"  # type: ignore[union-attr]


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "autograder"


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[SelfTest]:
    """Count how often it is proved, without doing so."""
    good = SelfTest((Finding("no network", "a listener", "yes"),), "namespaces", 1.0)
    calls: list[SelfTest] = []

    def pretend(*_: object) -> SelfTest:
        calls.append(good)
        return good

    monkeypatch.setattr(selftest, "prove", pretend)
    return calls


def test_what_was_proved_is_remembered(cache: Path, counted: list[SelfTest]) -> None:
    first = ensure(SETTINGS)
    assert ensure(SETTINGS) == first
    assert len(counted) == 1
    (file,) = cache.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    ensure(SETTINGS, [Path("/elsewhere")])
    ensure(replace(SETTINGS, hidden_packages=("other",)))
    assert len(counted) == 3


def test_what_others_may_have_written_is_not_believed(cache: Path, counted: list[SelfTest]) -> None:
    ensure(SETTINGS)
    (file,) = cache.iterdir()
    file.chmod(0o666)
    ensure(SETTINGS)
    assert len(counted) == 2
    for text in ("", "[]", '{"findings": [], "backend": "namespaces", "seconds": 1}'):
        file.write_text(text)
        file.chmod(0o600)
        count = len(counted)
        ensure(SETTINGS)
        assert len(counted) == count + 1


def test_a_failure_is_named_and_not_remembered(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = SelfTest(
        (Finding("no network", "a listener", "no", "127.0.0.1 port 9"),), "landlock", 1.0
    )
    monkeypatch.setattr(selftest, "prove", lambda *_: bad)
    monkeypatch.setattr(selftest, "_sysctl", lambda path: "0" if "max_user" in path else None)
    with pytest.raises(
        NotSealed, match=r"no network.*127\.0\.0\.1 port 9.*max_user_namespaces.*two ways out"
    ):
        ensure(SETTINGS)
    assert not cache.exists()


def test_a_machine_without_any_backend_is_refused(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise JailError("make namespaces", "Operation not permitted")

    monkeypatch.setattr("autograder.jail.launch", refuse)
    monkeypatch.setattr(selftest, "_sysctl", lambda path: "1" if "apparmor" in path else None)
    found = prove(SETTINGS)
    assert not found.held
    with pytest.raises(NotSealed) as caught:
        ensure(SETTINGS)
    for words in ("make namespaces", "Operation not permitted", "sysctl", "two ways out"):
        assert words in str(caught.value)


def test_probes_are_sent_as_text_and_need_the_standard_library_alone() -> None:
    code = (
        "import sys; exec(open(sys.argv[1]).read()); import json; print(json.dumps([*sys.modules]))"
    )
    probes = Path(trials.__file__).with_name("probes.py")
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(probes)],
        check=True,
        capture_output=True,
        text=True,
    )
    tops = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert tops - set(sys.stdlib_module_names) <= {"__main__"}
