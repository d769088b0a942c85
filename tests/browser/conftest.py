"""A real JupyterLab, started as ``make learn`` does, and a real headless Chromium.

The browser lives as long as one file's tests and no longer: while Playwright runs, an event loop
runs in this process, and tests of other files could not start one.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

import browser as driver
import learn


@pytest.fixture(scope="session")
def lab(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[learn.Lab]:
    """Run the learner's JupyterLab on a fresh copy of the course."""
    folder = tmp_path_factory.mktemp("browser")
    work = folder / "work"
    learn.place_all(root, work, datetime.date.today())
    with learn.running_lab(
        work,
        python=str(root / ".venv" / "bin" / "python"),
        port=0,
        configs=(driver.extra_config(folder / "config"),),
    ) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Run Chromium; without one, skip where that is allowed, and fail where it is not."""
    executable = driver.chromium_path()
    if executable is None:
        if os.environ.get("CRS_REQUIRE_BROWSER"):
            pytest.fail("There is no Chromium here, and CRS_REQUIRE_BROWSER asks for one.")
        pytest.skip("There is no Chromium on this machine; .ci/run installs one.")
    with driver.running_browser(executable) as running:
        yield running


@pytest.fixture(scope="session")
def screenshots(root: Path) -> Path:
    """Return where pictures of failures go; Git ignores it."""
    folder = root / "test-artifacts"
    folder.mkdir(exist_ok=True)
    return folder


NotebookOpener = Callable[..., Page]


@pytest.fixture(scope="module")
def open_and_run(
    lab: learn.Lab, chromium: Browser, screenshots: Path, request: pytest.FixtureRequest
) -> Iterator[NotebookOpener]:
    """Return a function that opens a notebook of the course in a page of its own and runs it."""
    pages: list[Page] = []

    def opener(path: str, *, width: int = 1280, height: int = 1600, run: bool = True) -> Page:
        page = driver.new_page(chromium, width=width, height=height)
        pages.append(page)
        try:
            driver.open_notebook(page, lab, path)
            driver.only_the_notebook(page)
            if run:
                driver.run_all(page)
        except BaseException:
            page.screenshot(path=screenshots / f"{Path(path).stem}-failed.png")
            raise
        return page

    failures_before = request.session.testsfailed
    yield opener
    for number, page in enumerate(pages):
        if request.session.testsfailed > failures_before:
            page.screenshot(path=screenshots / f"{request.module.__name__}-{number}.png")
        page.context.close()
