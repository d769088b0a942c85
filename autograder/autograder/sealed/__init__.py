"""Grading in which a submission and the checks never meet: ward, examiner, and what joins them."""
