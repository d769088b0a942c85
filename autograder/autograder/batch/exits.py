"""Exit statuses of ``autograder grade``, for scripts."""

GRADED_ALL = 0
SOME_BROKEN = 1
REFUSED = 2
STOPPED = 3
