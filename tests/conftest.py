"""What every test shares: the checkout's root, and which tests must run in one process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# No deadline: a slow machine is no failure. Where CI is set, the same examples every time, so that
# a red run can be repeated; elsewhere new ones, which keep looking.
settings.register_profile("course", deadline=None, print_blob=True)
settings.register_profile("ci", settings.get_profile("course"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "course")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file's tests in one process, so that its fixtures are made once.

    All browser tests go to one process, because they share a JupyterLab and a Chromium. A test may
    name a group of its own with the mark ``xdist_group``.
    """
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            path = item.path.relative_to(ROOT)
            group = "browser" if "browser" in path.parts else path.as_posix()
            item.add_marker(pytest.mark.xdist_group(group))
