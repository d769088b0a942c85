"""The real ``make learn``: it starts JupyterLab without a screen, and stops it again."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def started(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Run tools/learn.py with the learner's Python; yield what it said, and the work folder."""
    work = tmp_path_factory.mktemp("learn") / "work"
    process = subprocess.Popen(
        [root / ".venv/bin/python", root / "tools/learn.py", "--work", work, "--port", "9310"],
        env={**os.environ, "NO_BROWSER": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    deadline = time.monotonic() + 120
    while "Next:" not in said and time.monotonic() < deadline:
        line = process.stdout.readline()
        if not line:
            break
        said += line
    yield said, work
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=30)
    # Teardown checks what only the end can show: a clean stop that says what to do next.
    assert process.returncode == 0, rest
    assert "Next: make learn opens it again." in rest
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(address_in(said), timeout=3)


def address_in(said: str) -> str:
    found = re.search(r"http://localhost:\d+/lab/tree/START\.md\?token=\S+", said)
    assert found, f"no address in:\n{said}"
    return found.group()


def test_it_says_what_it_does_and_where_to_look(started: tuple[str, Path]) -> None:
    said, _ = started
    assert said.startswith("Copying lessons and assignments to ")
    assert "Starting JupyterLab" in said
    assert "Next: open this address in a browser on this machine. Stop with Ctrl+C." in said


def test_the_address_opens_the_lab(started: tuple[str, Path]) -> None:
    with urllib.request.urlopen(address_in(started[0]), timeout=30) as reply:
        page = reply.read().decode()
    assert reply.status == 200
    found = re.search(r'<script id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert found
    config = json.loads(found.group(1))
    # Nothing asks for news over the network, and the instructor's panels are out of sight.
    assert "@jupyterlab/apputils-extension:announcements" in config["disabledExtensions"]
    assert "@jupyter/nbgrader:formgrader" in config["disabledExtensions"]


def test_the_lab_shows_the_work_folder_alone(started: tuple[str, Path]) -> None:
    said, work = started
    contents = address_in(said).replace("lab/tree/START.md", "api/contents/")
    with urllib.request.urlopen(contents, timeout=30) as reply:
        names = {entry["name"] for entry in json.load(reply)["content"]}
    assert "START.md" in names
    assert names == {path.name for path in work.iterdir() if not path.name.startswith(".")}


def test_without_the_token_nobody_gets_in(started: tuple[str, Path]) -> None:
    contents = address_in(started[0]).split("?")[0].replace("lab/tree/START.md", "api/contents/")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(contents, timeout=30)


def test_settings_of_the_course_are_in_force(started: tuple[str, Path]) -> None:
    settings = address_in(started[0]).replace(
        "lab/tree/START.md", "lab/api/settings/@jupyterlab/docmanager-extension:plugin"
    )
    with urllib.request.urlopen(settings, timeout=30) as reply:
        schema = json.load(reply)["schema"]
    # The start page opens as a page, not as Markdown text.
    assert schema["properties"]["defaultViewers"]["default"] == {"markdown": "Markdown Preview"}
