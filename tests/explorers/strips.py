"""Read the boxes of a grade strip back from a picture."""

from crs.figures.grade_strip import Run
from crs.figures.theme import GRADE_COLORS, Picture


def runs_in(picture: Picture) -> list[Run]:
    """Return every run that a picture has as a box, by what is painted."""
    runs = []
    for trace in picture.traces:
        if trace.get("fillcolor") not in GRADE_COLORS or not trace["name"].startswith("grade"):
            continue
        grade = GRADE_COLORS.index(trace["fillcolor"])
        assert trace["name"] == f"grade {grade}"
        assert len(trace["x"]) == len(trace["y"])
        for at in range(0, len(trace["x"]), 6):
            left, right, _, _, again, gap = trace["x"][at : at + 6]
            assert (again, gap) == (left, None)
            low, high = trace["y"][at], trace["y"][at + 2]
            runs.append(Run((low + high) / 2, left, right, grade))
    return runs
