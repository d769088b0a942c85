"""Start what local workers are forked from: little is imported here, so that it starts at once."""

import multiprocessing
from multiprocessing import forkserver


def warm() -> None:
    """Begin to start what workers are forked from, and go on meanwhile.

    It imports once what every worker needs.
    """
    multiprocessing.get_context("forkserver").set_forkserver_preload(
        ["autograder.batch.worker", "autograder.batch.sealing"]
    )
    forkserver.ensure_running()
