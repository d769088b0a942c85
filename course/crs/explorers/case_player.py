"""The case player: a fictional patient hour by hour, with decisions to commit to."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as widgets
import traitlets

from crs.errors import InvalidInput
from crs.explorers.base import Explorer, html_block, slider_with_field
from crs.explorers.form import Answers, Form, FormContent, LiveRegion, Question
from crs.figures.course import (
    Commitment,
    commitment_html,
    commitment_sentence,
    course_picture,
    header_html,
    labs_html,
    monitor_html,
    monitor_sentence,
    notes_html,
    summary_html,
)
from crs.guidelines import guideline
from crs.patients.cases import LAST_HOUR, Case, Decision, load_case
from crs.patients.judging import (
    NO_STEROID,
    ORDER_WORDS,
    STEROID_WORDS,
    LearnerAnswer,
    answer_of_tables,
    compare,
    debrief,
)

_HERE = Path(__file__).parent
_ORDERS = "orders"
_STEROID = "steroid"
# While time runs, the sentence changes this often, so that a screen reader can follow.
_SPEAK_EVERY_H = 12


class Transport(anywidget.AnyWidget):
    """Play, pause, and steps through time."""

    _esm = _HERE / "transport.js"
    _css = _HERE / "case_player.css"
    playing = traitlets.Bool(False).tag(sync=True)
    hour = traitlets.Int(0).tag(sync=True)
    last = traitlets.Int(LAST_HOUR).tag(sync=True)
    waiting = traitlets.Bool(False).tag(sync=True)
    ahead = traitlets.Bool(True).tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)


class CasePlayer(Explorer):
    """Follow a fictional patient, and commit to grades and orders before the tables speak.

    What comes after an open decision stays hidden until it is taken. SYNTHETIC.

    Parameters
    ----------
    case_id : str, optional
        `crs.patients.cases.case_ids` lists them.

    Attributes
    ----------
    case : Case
        The patient.
    commitments : tuple of Commitment
        The decisions taken so far, in order.
    form : Form
        Asks for the decision that is open.
    """

    def __init__(self, case_id: str = "scales-disagree") -> None:
        self.case: Case = load_case(case_id)
        self.commitments: tuple[Commitment, ...] = ()
        super().__init__(
            self.case.title,
            {"hour": slider_with_field("Time since the infusion", 0, LAST_HOUR, 1, 0, "h")},
            css_class="crs-case-player",
        )
        self._set_limit()
        self.transport = Transport()
        self.transport.on_msg(self._on_transport)
        self.transport.observe(self._on_play, names="playing")
        self.header = html_block("crs-case-header")
        self.header.value = header_html(self.case)
        self.monitor = html_block("crs-case-monitor")
        self.form = Form(decision_form(self.case, self.case.decisions[0]), self._on_commit)
        self.reveal = LiveRegion()
        self.box = widgets.VBox([self.form, self.reveal])
        self.box.add_class("crs-decision-box")
        self.course = self.picture()
        self.labs = html_block()
        self.notes = html_block()
        side = widgets.VBox([self.labs, self.notes])
        side.add_class("crs-case-side")
        columns = widgets.Box([self.course, side])
        columns.add_class("crs-case-columns")
        self.summary = html_block()
        self.compose(
            self.transport,
            self.header,
            self.monitor,
            self.sentence_line,
            self.box,
            columns,
            self.summary,
        )

    @property
    def open_decision(self) -> Decision | None:
        """The first decision that has not been taken, or None."""
        taken = len(self.commitments)
        return self.case.decisions[taken] if taken < len(self.case.decisions) else None

    @property
    def hour(self) -> int:
        """The hour that is shown, never past an open decision."""
        return round(float(self.controls["hour"].value))

    def update(self) -> None:
        """Show the hour, and the decision that is due or was taken then."""
        hour = self.hour
        decision = self.open_decision
        due = decision is not None and hour == decision.at
        self._show_time(hour, decision, due)
        self.monitor.value = monitor_html(self.case, hour)
        self.labs.value = labs_html(self.case, hour)
        self.notes.value = notes_html(self.case, hour)
        taken = [commitment.decision.at for commitment in self.commitments]
        self.course.show(course_picture(self.case, hour, [at for at in taken if at <= hour]))
        shown = next((c for c in self.commitments if c.decision.at == hour), None)
        self._show_decision(decision if due else None, shown)
        self.summary.value = "" if decision is not None else summary_html(self.commitments)
        if due and decision is not None:
            self.say(
                f"{monitor_sentence(self.case, hour)} A decision is due: {decision.title}. "
                "What comes later stays hidden until you commit."
            )
        elif shown is not None:
            self.say(commitment_sentence(shown))
        elif not self.transport.playing or hour % _SPEAK_EVERY_H == 0 or hour == LAST_HOUR:
            self.say(monitor_sentence(self.case, hour))

    def decide(
        self,
        grades: Mapping[str, int],
        orders: tuple[str, ...] = (),
        steroid: str = NO_STEROID,
    ) -> None:
        """Fill in and commit the decision that is due, as the form in the browser does.

        Parameters
        ----------
        grades : mapping of str to int
            By scale.
        orders : tuple of str
            What to order.
        steroid : str
            Which corticosteroid.

        Raises
        ------
        InvalidInput
            If no decision is due, or something is missing or not among the options.
        """
        decision = self.open_decision
        if decision is None:
            raise InvalidInput("decision", None, "open; all of this case are taken")
        if self.hour != decision.at:
            raise InvalidInput("hour", self.hour, f"{decision.at}, when the decision is due")
        answers: dict[str, Any] = {scale: str(grade) for scale, grade in grades.items()}
        self.form.fill(**answers, **{_ORDERS: orders, _STEROID: steroid})
        self.form.commit()

    def go_to_next_decision(self) -> None:
        """Move to the next decision: the open one, or the next of those that were taken."""
        decision = self.open_decision
        if decision is not None:
            self.controls["hour"].value = decision.at
            return
        later = [taken.at for taken in self.case.decisions if taken.at > self.hour]
        self.controls["hour"].value = later[0] if later else LAST_HOUR

    def reset(self) -> None:
        """Begin the case anew: back to hour 0, with no decision taken."""
        self.commitments = ()
        self.transport.playing = False
        self._set_limit()
        super().reset()
        self.refresh()

    def _set_limit(self) -> None:
        """Let time run up to the open decision. The slider keeps its scale of fourteen days."""
        decision = self.open_decision
        self.controls["hour"].maximum = float(LAST_HOUR if decision is None else decision.at)

    def _on_panel(self, change: Mapping[str, Any]) -> None:
        super()._on_panel(change)
        if self.panel.values != self.values():
            # The slider was moved past the limit while time stood at it already.
            self._settle()

    def _show_time(self, hour: int, decision: Decision | None, due: bool) -> None:
        transport = self.transport
        with transport.hold_sync():
            transport.hour = hour
            transport.waiting = due
            transport.ahead = decision is not None or any(
                taken.at > hour for taken in self.case.decisions
            )
            if due or hour == LAST_HOUR:
                transport.playing = False
            total = len(self.case.decisions)
            transport.words = (
                f"{len(self.commitments)} of {total} decisions taken"
                if decision is not None
                else f"All {total} decisions taken"
            )

    def _show_decision(self, due: Decision | None, shown: Commitment | None) -> None:
        if due is not None:
            content = decision_form(self.case, due)
            if self.form.content.key != content.key or self.form.locked:
                self.form.ask(content)
        self.form.layout.display = "none" if due is None else None
        self.reveal.html = "" if shown is None else commitment_html(shown)
        self.box.layout.display = "none" if due is None and shown is None else None

    def _on_commit(self, answers: Answers) -> None:
        decision = self.open_decision
        if decision is None or self.hour != decision.at:
            return
        tables = answer_of_tables(self.case, decision)
        orders = answers.get(_ORDERS, ())
        learner = LearnerAnswer(
            grades={scale: int(str(answers[scale])) for scale in decision.grades},
            orders=frozenset(orders),
            steroid=str(answers.get(_STEROID, NO_STEROID)),
        )
        commitment = Commitment(
            decision=decision,
            number=len(self.commitments) + 1,
            of=len(self.case.decisions),
            lines=compare(decision, learner, tables),
            tables=tables,
            debrief=debrief(decision, tables),
        )
        self.commitments = (*self.commitments, commitment)
        self._set_limit()
        self.refresh()
        self.reveal.focus()

    def _on_transport(self, widget: object, content: Any, buffers: object) -> None:
        if not isinstance(content, dict):
            return
        if content.get("next"):
            self.go_to_next_decision()
        elif isinstance(content.get("step"), int):
            self.controls["hour"].value = self.hour + content["step"]

    def _on_play(self, change: Mapping[str, Any]) -> None:
        decision = self.open_decision
        stuck = self.hour == LAST_HOUR or (decision is not None and self.hour == decision.at)
        if change["new"] and stuck:
            self.transport.playing = False
        elif not change["new"]:
            self.refresh()


def decision_form(case: Case, decision: Decision) -> FormContent:
    """Return the form that asks for one decision.

    Parameters
    ----------
    case : Case
    decision : Decision
        One of the case's decisions.

    Returns
    -------
    FormContent
    """
    number = case.decisions.index(decision) + 1
    questions = [
        Question(
            scale,
            f"Grade on {guideline(scale).short_title}",
            {str(grade): str(grade) for grade in range(5)},
            kind="line",
            short=f"the {guideline(scale).short_title} grade",
        )
        for scale in decision.grades
    ]
    boxes: dict[str, str] = {
        order: ORDER_WORDS[order] for order in decision.orders if order != _STEROID
    }
    if boxes:
        questions.append(
            Question(_ORDERS, "Orders now", boxes, kind="boxes", note="Tick all that you want.")
        )
    if _STEROID in decision.orders:
        questions.append(
            Question(
                _STEROID,
                ORDER_WORDS[_STEROID],
                STEROID_WORDS,
                kind="line",
                short="the corticosteroid, or none",
            )
        )
    return FormContent(
        key=f"{case.id}/{decision.id}",
        name=f"Decision {number}: {decision.title}",
        kicker=f"Decision {number} of {len(case.decisions)}, hour {decision.at}",
        title=decision.title,
        text=decision.situation,
        questions=tuple(questions),
        button="Commit, and see what the tables say",
    )
