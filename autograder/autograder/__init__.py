"""Grading side of the course: exams, checks and the way from release to feedback."""
