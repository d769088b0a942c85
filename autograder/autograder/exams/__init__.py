"""The exams of this course, one module per assignment."""
