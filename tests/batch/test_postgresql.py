"""The same on PostgreSQL, by nbgrader's own ``db_url``: a server that the test starts and stops."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from tests.batch import classroom
from tests.batch.classroom import PS, RIGHT, WRONG, dump, dump_of, hand_in

BIN = Path(sys.executable).parent
REQUIRED = bool(os.environ.get("CRS_REQUIRE_POSTGRESQL"))
NOBODY = 65534
CONFIG = classroom.CONFIG + "from autograder import seal\nseal(c)\n"


def binaries() -> Path | None:
    """Find the folder of PostgreSQL's programs; Debian keeps them off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    path = shutil.which("initdb")
    return found[-1].parent if found else Path(path).parent if path else None


def unprivileged(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.getuid():
        return command
    ids = ["--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
    return ["setpriv", *ids, "--reset-env", *command]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a server of our own, and give the address of an empty database."""
    programs = binaries()
    if programs is None:
        assert not REQUIRED, "CRS_REQUIRE_POSTGRESQL is set, and PostgreSQL is not installed"
        pytest.skip("PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))  # short: a socket's path is limited
    if not os.getuid():
        os.chown(folder, NOBODY, NOBODY)
    data = folder / "data"
    how = ["-D", str(data), "-U", "grader", "-A", "trust", "-N", "-E", "UTF8", "--no-locale"]
    made = subprocess.run(
        unprivileged([str(programs / "initdb"), *how]),
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["-p", str(port), "-k", str(folder), "-c", "listen_addresses=127.0.0.1"]
    with (folder.parent / f"{folder.name}.log").open("wb") as log:
        process = subprocess.Popen(
            unprivileged(
                [str(programs / "postgres"), "-D", str(data), *options, "-c", "fsync=off"]
            ),
            cwd="/",
            stdout=log,
            stderr=log,
        )
    url = f"postgresql+psycopg://grader@127.0.0.1:{port}/postgres"
    try:
        wait_for(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)
        (folder.parent / f"{folder.name}.log").unlink()


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    engine = create_engine(url)
    until = time.monotonic() + 60
    while True:
        assert process.poll() is None, "the server did not start"
        try:
            with engine.connect():
                break
        except OperationalError:
            assert time.monotonic() < until
            time.sleep(0.1)
    engine.dispose()


def run(course: Path, *words: str, status: int = 0) -> str:
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [BIN / words[0], *words[1:]],
        cwd=course,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def database(server: str, name: str) -> str:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.rpartition("/")[0] + f"/{name}"


def rows(url: str) -> list[tuple[object, ...]]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = dump_of(lambda query: [tuple(row) for row in connection.execute(text(query))])
    engine.dispose()
    return found


def as_sqlite_says(found: list[tuple[object, ...]]) -> list[str]:
    """Say rows as SQLite's driver would: no types of their own for times and truths."""
    said = [
        tuple(
            int(value)
            if isinstance(value, bool)
            else f"{value:%Y-%m-%d %H:%M:%S.%f}"
            if hasattr(value, "strftime")
            else value
            for value in row
        )
        for row in found
    ]
    return sorted(map(repr, said))


@pytest.mark.slow
def test_the_same_gradebook_on_postgresql(server: str, tmp_path: Path) -> None:
    url = database(server, "same")
    sqlite = classroom.make_course(tmp_path / "sqlite", CONFIG)
    course = classroom.make_course(
        tmp_path / "postgresql", CONFIG + f"c.CourseDirectory.db_url = {url!r}\n"
    )
    assert not (course / "gradebook.db").exists()
    # A second assignment in the gradebook: nbgrader's computed columns must not be asked for.
    shutil.copytree(course / "source" / PS, course / "source" / "ps2")
    run(course, "nbgrader", "generate_assignment", "ps2")
    for each in (sqlite, course):
        classroom.mixed_class(each)
    preview = json.loads(run(course, "autograder", "grade", PS, "--preview", "--json", status=1))
    assert preview["graded"] == 8
    assert [row for row in rows(url) if row[0] != "student"] == []
    run(course, "autograder", "grade", PS, status=1)
    run(sqlite, "autograder", "grade", PS, status=1)
    assert as_sqlite_says(rows(url)) == as_sqlite_says(dump(sqlite))
    again = json.loads(run(course, "autograder", "grade", PS, "--json", status=1))
    assert (again["graded"], again["broken"]) == (0, 1)
    by_nbgrader = rows(url)
    run(course, "nbgrader", "autograde", PS, "--force", "--student", "ada")
    assert rows(url) == by_nbgrader


@pytest.mark.slow
def test_a_manual_grade_given_meanwhile_stays(server: str, tmp_path: Path) -> None:
    """A person grades in formgrader while a batch writes the same rows, again and again."""
    import io

    from tests.batch import fake_runner

    from autograder.batch import run as batch
    from autograder.batch.course import read_course
    from autograder.batch.progress import Progress

    url = database(server, "meanwhile")
    course = classroom.make_course(
        tmp_path / "course", CONFIG + f"c.CourseDirectory.db_url = {url!r}\n"
    )
    for name in ("ada", "bob"):
        hand_in(course, name, RIGHT)

    def grade() -> None:
        batch.grade(
            read_course(course, force=True),
            batch.Order(PS, workers=1),
            settings=None,
            runner=fake_runner.NAME,
            packages=(),
            progress=lambda total: Progress(total, io.StringIO()),
        )

    grade()
    engine = create_engine(url)
    stop = threading.Event()
    given: list[float] = []

    def person() -> None:
        while not stop.is_set():
            score = len(given) % 3 + 0.25
            with engine.begin() as connection:
                connection.execute(
                    text(
                        "UPDATE grade SET manual_score = :score WHERE cell_id IN "
                        "(SELECT id FROM base_cell WHERE name = 'double-hidden')"
                    ),
                    {"score": score},
                )
            given.append(score)

    thread = threading.Thread(target=person)
    thread.start()
    try:
        for number in range(6):
            hand_in(course, "ada", (RIGHT, WRONG)[number % 2])
            grade()
    finally:
        stop.set()
        thread.join()
    assert len(given) > 10
    found = {row[1:5:3]: row[6:] for row in rows(url) if row[0] == "grade"}
    assert found["ada", "double-hidden"] == (0, given[-1], None, True)
    assert found["bob", "double-hidden"] == (3, given[-1], None, True)
    engine.dispose()
