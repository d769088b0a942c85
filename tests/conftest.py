"""What every test shares: the checkout's root, and which tests must run in one process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# No deadline: a slow machine is no failure. Where CI is set, the same examples every time, so that
# a red run can be repeated; elsewhere new ones, which keep looking.
settings.register_profile("course", deadline=None, print_blob=True)
settings.register_profile("ci", settings.get_profile("course"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "course")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


class _ByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist is untyped
    """Keep a file's tests in one process, so that its fixtures are made once.

    All browser tests go to one process, because they share a JupyterLab and a Chromium. (The marks
    of ``--dist loadgroup`` hold nothing together with pytest 9.2 and pytest-xdist 3.8.)
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return "browser" if "browser" in path else path


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    return _ByFile(config, log)
