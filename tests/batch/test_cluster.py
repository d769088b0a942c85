"""The same work on a Dask cluster: a real scheduler and two workers, one of which is killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.batch import classroom
from tests.batch.classroom import PARTLY, PS, RIGHT, WRONG, copy_of, dump, hand_in

BIN = Path(sys.executable).parent
CONFIG = classroom.CONFIG + "from autograder import seal\nseal(c)\n"
ENVIRONMENT = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}


class Cluster:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "scheduler.log"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.scheduler = self.start("scheduler", "--host", "127.0.0.1", "--port", "0")
        self.address = self.wait_for(self.log, r"Scheduler at:\s+(tcp://\S+)")

    def start(self, kind: str, *words: str) -> subprocess.Popen[bytes]:
        log = self.log if kind == "scheduler" else self.folder / f"{kind}-{len(self.processes)}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [BIN / "dask", kind, *words, "--no-dashboard"],
                cwd=self.folder,
                env=ENVIRONMENT,
                stdout=out,
                stderr=out,
            )
        self.processes.append(process)
        return process

    def start_worker(self) -> subprocess.Popen[bytes]:
        process = self.start(
            "worker", self.address, "--no-nanny", "--nthreads", "2", "--host", "127.0.0.1"
        )
        log = self.folder / f"worker-{len(self.processes) - 1}.log"
        self.wait_for(log, r"(Registered to)")
        return process

    def wait_for(self, log: Path, pattern: str) -> str:
        until = time.monotonic() + 90
        while time.monotonic() < until:
            found = re.search(pattern, log.read_text())
            if found:
                return found[1]
            time.sleep(0.1)
        raise AssertionError(log.read_text())

    def close(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    folder = tmp_path / "cluster"
    folder.mkdir()
    made = Cluster(folder)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return classroom.make_course(tmp_path_factory.mktemp("released") / "course", CONFIG)


def start(course: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [BIN / "autograder", "grade", PS, *words],
        cwd=course,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(running: subprocess.Popen[str], status: int) -> str:
    said, _ = running.communicate(timeout=400)
    assert running.returncode == status, said
    return said


@pytest.mark.slow
def test_a_worker_is_killed_half_way(released: Path, cluster: Cluster, tmp_path: Path) -> None:
    here = copy_of(released, tmp_path / "here")
    for number in range(12):
        answers = (RIGHT, WRONG, PARTLY)[number % 3]
        wait = "import time\ntime.sleep(0.5)\n"
        hand_in(here, f"student-{number:02}", answers | {"double": wait + answers["double"]})
    (hand_in(here, "torn") / "shapes.ipynb").write_text("{")
    there = copy_of(here, tmp_path / "there")
    finish(start(here), 1)
    one, _two = cluster.start_worker(), cluster.start_worker()
    running = start(there, "--scheduler", cluster.address)
    until = time.monotonic() + 120
    while len(list((there / "autograded").glob(f"student-*/{PS}"))) < 4:
        assert running.poll() is None, running.communicate()[0]
        assert time.monotonic() < until
        time.sleep(0.05)
    one.send_signal(signal.SIGKILL)
    said = finish(running, 1)
    assert re.search(r"graded +12", said), said
    assert re.search(r"broken +1\b", said), said
    assert dump(there) == dump(here)
    assert classroom.tree(there / "autograded") == classroom.tree(here / "autograded")


@pytest.mark.slow
def test_a_cluster_without_workers_or_scheduler_is_refused(
    released: Path, cluster: Cluster, tmp_path: Path
) -> None:
    course = copy_of(released, tmp_path / "course")
    hand_in(course, "ada", RIGHT)
    assert "no workers" in finish(start(course, "--scheduler", cluster.address), 2)
    assert "no Dask scheduler" in finish(start(course, "--scheduler", "tcp://127.0.0.1:9"), 2)
    assert "no Dask scheduler" in finish(start(course, "--scheduler", "nonsense://x"), 2)
