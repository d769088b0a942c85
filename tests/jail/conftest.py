"""Jails for the tests: for root and for an ordinary user, with each way to build one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.jail.bare import STRANGER, BareJail, bare_jail, readable_python

AS_ROOT = os.geteuid() == 0


@pytest.fixture(scope="session")
def open_python() -> Iterator[tuple[Path, Path, Path]]:
    """Lay Python, the package and the driver where any user may read them."""
    folder = Path(tempfile.mkdtemp(prefix="open-python-", dir="/var/tmp"))
    try:
        yield readable_python(folder)
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session", params=["as root", "as a user"] if AS_ROOT else ["as a user"])
def jailed(
    request: pytest.FixtureRequest, open_python: tuple[Path, Path, Path]
) -> Iterator[BareJail]:
    """Start a jail of namespaces."""
    interpreter, package, driver = open_python
    with ExitStack() as stack:
        if request.param == "as root":
            jail = stack.enter_context(bare_jail(backend="namespaces"))
        else:
            jail = stack.enter_context(
                bare_jail(
                    interpreter=interpreter,
                    package=package,
                    driver=driver,
                    uid=STRANGER if AS_ROOT else None,
                    backend="namespaces",
                )
            )
        assert "stage" not in jail.told, jail.told
        yield jail
