"""What every test shares: the checkout's root, and which tests must run in one process."""

from __future__ import annotations

from pathlib import Path

import pytest

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
