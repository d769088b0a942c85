"""From source to release, from submissions to feedback: nbgrader's steps as commands."""
