"""nbgrader's settings for this course.

nbgrader reads this file several times, and learners' servers read it too, where the grading side
is not installed.
"""

import secrets
from pathlib import Path

c = get_config()  # type: ignore[name-defined]  # noqa: F821 - nbgrader provides it

c.CourseDirectory.course_id = "crs"

# Where releases and submissions are exchanged is for each deployment to say
# (c.Exchange.root, or an exchange plugin).

# What learners have, and nothing else; where it is missing, the environment that grades, of which
# submissions see only what they may.
_LEARNER_PYTHON = Path(__file__).resolve().parent / ".venv" / "bin" / "python"

try:
    from autograder import seal
except ImportError:
    # A server that never grades. Should it try, this fails: nothing is graded unsealed by accident.
    c.Autograde.exporter_class = "autograder.sealed.exporter.SubmissionExporter"
else:
    seal(
        c,
        learner_python=_LEARNER_PYTHON if _LEARNER_PYTHON.exists() else None,
        course_packages={"crs": ["crs.exercises"]},
    )

# For validation, and for practice where nothing can be sealed (macOS, Windows):

# The interpreter that runs nbgrader, whatever kernels a machine or a notebook names.
c.Execute.kernel_name = "python3"

# Jupyter's executor skips cells with this tag, a check that a learner tagged included, and a cell
# that did not run scores full marks. A new random tag each time is one that nobody can write.
c.Execute.skip_cells_with_tag = secrets.token_hex(16)
