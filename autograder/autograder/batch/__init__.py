"""A whole class at once: stateless workers, one writer, and a key that tells what is whole.

A worker takes a submission and the trusted cells, and gives back an executed notebook and scores.
The writer commits each submission to nbgrader's gradebook in one transaction.
"""

from autograder.batch.lean import import_lean

# Before any module here, or of the seal, imports nbgrader.
import_lean()
