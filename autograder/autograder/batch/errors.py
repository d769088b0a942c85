"""Why a batch cannot start, or cannot go on."""


class BatchError(Exception):
    """The batch cannot be graded as asked; the message says why and what to do."""


class StoppedError(Exception):
    """The batch stopped on the way; what is written stays, and a rerun goes on from there."""
