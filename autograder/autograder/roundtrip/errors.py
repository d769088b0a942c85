"""What can go wrong on the way from release to feedback, and how it is said."""


class RoundTripError(Exception):
    """A step cannot be done; the message says why, and what to do, for whoever ran the command."""
