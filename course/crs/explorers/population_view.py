"""The population view: many virtual patients at once, followed while the learner may go on."""

import asyncio
import time
from pathlib import Path
from typing import Any, cast

import anywidget
import traitlets

from crs.errors import CourseError
from crs.explorers.base import Explorer, choice, segments, slider_with_field
from crs.figures.population import (
    SHOWN,
    extreme_of,
    in_words,
    population_picture,
    typical_picture,
)
from crs.patients.planning import LAST_DAY
from crs.patients.populations import (
    OUTPUTS,
    TREATMENTS,
    PopulationResult,
    PopulationRun,
    PopulationSetting,
    Treatment,
    When,
    keep,
    kept,
    typical_courses,
)
from crs.patients.virtual import population

_OUTPUTS = {name: shown.name[0].upper() + shown.name[1:] for name, shown in SHOWN.items()}
_WHENS = {
    "first fever": "At the first fever",
    "first grade 2": "At the first grade 2",
    "first grade 3": "At the first grade 3",
    "fixed day": "On a fixed day",
}
# The kernel works this long at a time, and then listens; the picture follows less often, as it is
# the larger message.
_WORK_S = 0.05
_PAUSE_S = 0.002
_SHOW_EVERY_S = 0.5


class Runner(anywidget.AnyWidget):
    """Starts and stops a long piece of work, and shows how far it is."""

    _esm = Path(__file__).parent / "runner.js"
    name = traitlets.Unicode().tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)
    done = traitlets.Int(0).tag(sync=True)
    total = traitlets.Int(1).tag(sync=True)
    running = traitlets.Bool(False).tag(sync=True)
    complete = traitlets.Bool(False).tag(sync=True)


class PopulationView(Explorer):
    """Follow many virtual patients without treatment and with it. SYNTHETIC.

    Nothing long begins by itself: `start` does it, or its button. In a notebook the work runs in
    pieces on the kernel's own event loop, so that sliders and other cells go on; without such a
    loop, `start` returns when all is done.

    Attributes
    ----------
    runner : Runner
        The buttons and the progress bar.
    """

    def __init__(self) -> None:
        super().__init__(
            "A population of virtual patients",
            {
                "output": choice("Show", _OUTPUTS, "crp"),
                "treatment": choice(
                    "Treatment",
                    {name: name[0].upper() + name[1:] for name in TREATMENTS},
                    "tocilizumab",
                ),
                "when": choice("Given", _WHENS, "first grade 2", "An hour after it is seen"),
                "day": slider_with_field("Day", 0, LAST_DAY - 1, 1, 7, "day"),
                "patients": segments("Patients", ("100", "500"), "500"),
            },
            css_class="crs-population",
        )
        self._run: PopulationRun | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopped = False
        self.runner = Runner(name="Follow the population")
        self.runner.on_msg(self._on_runner)
        self._view = self.picture()
        self.compose(self.runner, self.sentence_line, self._view)

    @property
    def setting(self) -> PopulationSetting:
        """What the controls ask for."""
        when = cast("When", self.controls["when"].value)
        return PopulationSetting(
            cast("Treatment", self.controls["treatment"].value),
            when,
            float(self.controls["day"].value) if when == "fixed day" else 0.0,
            int(self.controls["patients"].value),
        )

    @property
    def running(self) -> bool:
        """Whether a population is being followed now."""
        return self._run is not None and not self._stopped and not self._run.finished

    def update(self) -> None:
        """Show the population of these settings as far as it is known."""
        self.controls["day"].visible = self.controls["when"].value == "fixed day"
        setting = self.setting
        if self._run is not None and self._run.setting != setting:
            self._stopped = True  # whoever works on it will see that
            self._run = None
        output = str(self.controls["output"].value)
        result = kept(setting)
        if result is None and self._run is not None and self._run.done:
            result = self._run.result([output])
        if result is None:
            untreated, treated = typical_courses(setting)
            place = OUTPUTS.index(output)
            self._view.show(
                typical_picture(
                    output,
                    list(untreated.values[place]),
                    list(treated.values[place]),
                    setting.treatment,
                )
            )
        else:
            self._view.show(
                population_picture(
                    output,
                    result.untreated[output],
                    result.treated[output],
                    result.patients,
                    setting.treatment,
                )
            )
        self._show_progress(setting)
        if not self.running:  # while it runs, a sentence for every piece would be too much to hear
            self.say(_not_yet(setting) if result is None else _found(output, result))
        elif self._run is not None and self._run.done == 0:
            self.say(f"Following {setting.patients} virtual patients.")

    def start(self) -> None:
        """Follow the population, unless that is known already or under way."""
        setting = self.setting
        if self.running or kept(setting) is not None:
            return
        self._run = run = PopulationRun(setting)
        self._stopped = False
        self.refresh()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            while self._work_on(run):
                pass
            return
        self._task = loop.create_task(self._work(run))

    def cancel(self) -> None:
        """Stop. What has been followed so far stays in the picture."""
        if self.running:
            self._stopped = True
            self.refresh()

    async def finished(self) -> None:
        """Wait until nothing is under way."""
        if self._task is not None:
            await self._task

    def close(self) -> None:
        """Stop, and take the explorer off the page."""
        self._stopped = True
        super().close()

    async def _work(self, run: PopulationRun) -> None:
        shown_at = time.monotonic()
        while self._work_on(run):
            if time.monotonic() - shown_at > _SHOW_EVERY_S:
                self.refresh()
                shown_at = time.monotonic()
            else:
                self._show_progress(run.setting)
            await asyncio.sleep(_PAUSE_S)

    def _work_on(self, run: PopulationRun) -> bool:
        """Follow patients for a moment; tell whether there is more to do."""
        until = time.monotonic() + _WORK_S
        try:
            while self._is_on(run) and time.monotonic() < until:
                run.step()
        except CourseError as error:
            self._stopped = True
            self.refresh()
            self.say(f"The population could not be followed to its end: {error}")
            return False
        if self._is_on(run):
            return True
        if run is self._run and run.finished:
            keep(run.result())
            self.refresh()
        return False

    def _is_on(self, run: PopulationRun) -> bool:
        return run is self._run and not self._stopped and not run.finished

    def _show_progress(self, setting: PopulationSetting) -> None:
        runner, run = self.runner, self._run
        complete = kept(setting) is not None
        done = setting.patients if complete else (0 if run is None else run.done)
        with runner.hold_sync():
            runner.label = f"Follow {setting.patients} patients"
            runner.total = setting.patients
            runner.done = done
            runner.running = self.running
            runner.complete = complete
            if complete:
                runner.words = f"All {setting.patients} followed"
            elif self.running:
                runner.words = f"{done} of {setting.patients}"
            elif done:
                runner.words = f"Stopped after {done} of {setting.patients}"
            else:
                runner.words = "Takes a few seconds"

    def _on_runner(self, widget: object, content: Any, buffers: object) -> None:
        if content == {"start": True}:
            self.start()
        elif content == {"stop": True}:
            self.cancel()


def _treated(setting: PopulationSetting) -> str:
    when = f"on day {setting.day:g}" if setting.when == "fixed day" else f"at the {setting.when}"
    return f"{setting.treatment} {when}"


def _not_yet(setting: PopulationSetting) -> str:
    burden = population().effects["burden"].middle
    return (
        "This is the patient in the middle of the population alone (every property at its median, "
        f"{burden:.2f} × reference target cells), without treatment and with {_treated(setting)}. "
        f"People differ: follow {setting.patients} virtual patients to see by how much."
    )


def _found(output: str, result: PopulationResult) -> str:
    setting, shown = result.setting, SHOWN[output]
    untreated = extreme_of(output, result.untreated[output])
    treated = extreme_of(output, result.treated[output])
    reach = "falls to" if shown.lowest_counts else "rises to"
    number = (
        f"{result.patients} virtual patients"
        if result.complete
        else f"the first {result.patients} of {setting.patients} virtual patients"
    )
    return (
        f"Without treatment the median {shown.name} of {number} {reach} "
        f"{in_words(output, untreated.value)} on day {untreated.day:.1f}, where 90 of 100 lie "
        f"between {in_words(output, untreated.low)} and {in_words(output, untreated.high)}. With "
        f"{_treated(setting)}, given to {result.given} of them, it {reach} "
        f"{in_words(output, treated.value)} on day {treated.day:.1f}. "
        f"{_severe(result)} How strongly each drug acts is a convention of this model, so it "
        "cannot say which one is better."
    )


def _severe(result: PopulationResult) -> str:
    untreated = _percent(result.severe_untreated, result.patients)
    if result.setting.when == "first grade 3":
        return f"{untreated} come to grade 3 or more; what waits for grade 3 cannot prevent it."
    treated = _percent(result.severe_treated, result.patients)
    return f"{untreated} come to grade 3 or more without treatment, {treated} with it."


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %"
