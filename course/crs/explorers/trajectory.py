"""The trajectory: a fictional patient's fourteen days, with the grade on six scales."""

from crs.errors import InvalidInput
from crs.explorers.base import Explorer, choice, slider_with_field
from crs.figures.trajectory import track_of, trajectory_picture, trajectory_sentence
from crs.patients.cases import LAST_HOUR, case_ids, load_case

FIRST_CASE = "scales-disagree"


class Trajectory(Explorer):
    """Move through the fourteen days of a fictional patient. SYNTHETIC.

    Parameters
    ----------
    case : str, optional
        The case to start with; `crs.patients.cases.case_ids` lists them.

    Raises
    ------
    InvalidInput
        If there is no such case.
    """

    def __init__(self, case: str | None = None) -> None:
        case_id = FIRST_CASE if case is None else case
        if case_id not in case_ids():
            raise InvalidInput("case", case, "one of " + ", ".join(case_ids()))
        titles = {found: load_case(found).title for found in case_ids()}
        super().__init__(
            "Fourteen days on six scales",
            {
                "case": choice(
                    "Patient", dict(sorted(titles.items(), key=lambda x: x[1])), case_id
                ),
                "hour": slider_with_field(
                    "Time since the infusion", 0, LAST_HOUR, 1, track_of(case_id).widest_hour, "h"
                ),
            },
            css_class="crs-trajectory",
        )
        self._view = self.picture()
        self.compose(self._view)

    def update(self) -> None:
        """Move the cursor, and say what it points at."""
        track = track_of(str(self.controls["case"].value))
        hour = round(self.controls["hour"].value)
        self._view.show(trajectory_picture(track, hour))
        self.say(trajectory_sentence(track, hour))
