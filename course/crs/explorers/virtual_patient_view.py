"""The virtual patient: everything the model holds over four weeks, and what decides a peak."""

from typing import cast

from crs.explorers.base import Explorer, choice, counter, segments, slider_with_field
from crs.figures.virtual_patient import (
    number_words,
    sensitivity_picture,
    virtual_patient_picture,
)
from crs.patients.observation import ice_scores, lowest_ice
from crs.patients.planning import Planned, weight_of
from crs.patients.whole_patient import (
    CHANGED,
    EXTREMES,
    LARGER,
    LAST_DAY,
    SMALLER,
    STEP_H,
    TREATMENTS,
    Treatment,
    WholeCourse,
    WholePatient,
    follow_whole,
    what_decides,
)

_COURSE, _BARS = "28 days", "What decides a peak"
_LARGEST_NUMBER = 999
_TYPICAL_WORDS = "Typical patient of the model"
_TREATMENT_WORDS: dict[str, str] = {name: name[0].upper() + name[1:] for name in TREATMENTS}


class VirtualPatientView(Explorer):
    """One patient over four weeks, with and without one treatment."""

    def __init__(self) -> None:
        super().__init__(
            "The virtual patient",
            {
                "number": counter(
                    "Patient", 0, _LARGEST_NUMBER, 0, note="0: typical. Others: SYNTHETIC"
                ),
                "burden": slider_with_field(
                    "Target cells at the start", 0.05, 10, 0.05, 1, "× reference"
                ),
                "treatment": choice("Treatment", _TREATMENT_WORDS, "none"),
                "day": slider_with_field("Given on day", 0, 21, 0.25, 8, "d"),
                "show": segments("Show", (_COURSE, _BARS), _COURSE),
                "output": choice(
                    "Of what",
                    {name: one.label[0].upper() + one.label[1:] for name, one in EXTREMES.items()},
                    "il6_total",
                ),
            },
            css_class="crs-virtual-patient",
        )
        self._course = self.picture()
        self._bars = self.picture()
        self.compose(self._course, self._bars)

    def update(self) -> None:
        """Show four weeks, or what decides a peak, and say what is to be seen."""
        treatment = cast("Treatment", self.controls["treatment"].value)
        bars = self.controls["show"].value == _BARS
        with self.together():
            self.controls["day"].visible = treatment != "none"
            self.controls["output"].visible = bars
        number = int(self.controls["number"].value)
        who = Planned(seed=number or None, burden=float(self.controls["burden"].value))
        day = float(self.controls["day"].value) if treatment != "none" else 0.0
        asked = WholePatient(who, treatment, day)
        result = follow_whole(asked)
        name = f"SYNTHETIC patient {number}" if number else _TYPICAL_WORDS
        self._course.layout.display = "none" if bars else None
        self._bars.layout.display = None if bars else "none"
        if bars:
            self.say(self._show_bars(asked, result, name))
        else:
            self._course.show(virtual_patient_picture(result, name))
            self.say(_course_sentence(result, name))

    def _show_bars(self, asked: WholePatient, result: WholeCourse, name: str) -> str:
        output = str(self.controls["output"].value)
        extreme = EXTREMES[output]
        value, _ = extreme.of(result.values)
        found = what_decides(asked, output)
        self._bars.show(sensitivity_picture(extreme, value, found, name))
        most, least = found[0], found[-1]
        return (
            f"{_who(asked, name)}: the {extreme.label} is {number_words(extreme, value)}. "
            f"“{CHANGED[most.parameter]}” changes it most: {number_words(extreme, most.smaller)} "
            f"with {SMALLER:g} times as much, {number_words(extreme, most.larger)} with "
            f"{LARGER:g} times. “{CHANGED[least.parameter]}” changes it least: "
            f"{number_words(extreme, least.smaller)} and {number_words(extreme, least.larger)}."
        )


def _who(asked: WholePatient, name: str) -> str:
    given = f", {asked.treatment} on day {asked.day:g}" if asked.treatment != "none" else ""
    weight = f", {weight_of(asked.who):.0f} kg" if asked.who.seed is not None else ""
    return f"{name}{weight}, {asked.who.burden:g} × reference{given}"


def _course_sentence(result: WholeCourse, name: str) -> str:
    def extremes(output: str) -> str:
        extreme = EXTREMES[output]
        value, day = extreme.of(result.values)
        words = number_words(extreme, value)
        if not result.doses:
            return f"{words} on day {day:.1f}"
        return f"{words} (without: {number_words(extreme, extreme.of(result.untreated)[0])})"

    bound = ", most of it held by the drug" if result.asked.treatment == "siltuximab" else ""
    return (
        f"{_who(result.asked, name)}: IL-6 peaks at {extremes('il6_total')}{bound}, CRP at "
        f"{extremes('crp')}, temperature at {extremes('temp_c')}. Before fluids and vasopressors, "
        f"pressure falls to {extremes('map_mmhg')}; on room air, oxygen saturation to "
        f"{extremes('spo2_room_air')}. {_grades(result)} {_ice(result)}"
    )


def _ice(result: WholeCourse) -> str:
    scores = ice_scores(result.values)
    lowest = f"The lowest ICE score is {lowest_ice(scores)} of 10"
    if None in scores:
        return f"{lowest}; on a ventilator it cannot be tested."
    return f"{lowest}."


def _grades(result: WholeCourse) -> str:
    highest = int(result.grades.max())
    hours = int((result.grades >= max(1, highest)).sum() * STEP_H)
    if highest:
        found = f"The highest ASTCT grade is {highest}, for {hours} h"
    else:
        found = f"No ASTCT grade above 0 in {LAST_DAY} days"
    if not result.doses:
        return f"{found}."
    old = int(result.untreated_grades.max())
    old_hours = int((result.untreated_grades >= max(1, old)).sum() * STEP_H)
    return f"{found} (without: {f'{old}, for {old_hours} h' if old else 'none either'})."
