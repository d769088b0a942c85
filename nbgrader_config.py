"""nbgrader's settings for this course.

nbgrader reads this file several times, so every list is assigned whole, never added to. Our own
pieces are named by dotted strings: the file loads where the grading side is not installed.
"""

import secrets

c = get_config()  # type: ignore[name-defined]  # noqa: F821 - nbgrader provides it

c.CourseDirectory.course_id = "crs"

# Where releases and submissions are exchanged is for each deployment to say
# (c.Exchange.root, or an exchange plugin).

# A warning or a line on stderr is not an error: without this it costs all marks of the check.
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = r"(?s).*"

# nbgrader's own page shows the source of hidden checks, and needs scripts from elsewhere.
c.GenerateFeedback.exporter_class = "autograder.feedback.FeedbackExporter"
c.GenerateFeedback.preprocessors = [
    "autograder.feedback.DropHiddenChecks",
    "autograder.feedback.MakePage",
]

# A copied cell or a deleted exercise makes nbgrader fail, so they are mended first. A check that a
# learner deleted is put back and scores 0, instead of waiting for a grade.
c.Autograde.sanitize_preprocessors = [
    "autograder.mend.MendSubmission",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.DeduplicateIds",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.OverwriteCells.add_missing_cells = True

# The same interpreter that grades, whatever kernels a machine or a submission names.
c.Execute.kernel_name = "python3"
# A hidden check stops a learner's endless loop after 20 seconds by itself.
c.Execute.timeout = 60

# Jupyter's executor skips cells with this tag, a check that a learner tagged included, and a cell
# that did not run scores full marks. A new random tag each time is one that nobody can write.
c.Execute.skip_cells_with_tag = secrets.token_hex(16)
