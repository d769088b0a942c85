"""The sentences that the page begins with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from autograder.feedback.failures import plain
from autograder.feedback.findings import NO_FUNCTION
from autograder.feedback.marks import Marks
from autograder.feedback.records import Section
from autograder.feedback.scores import Score, is_or_are
from autograder.report import inline, number


def headline(score: Score, broken: str) -> str:
    """Say in one line how it went; ``broken`` is why it could not be graded, or empty."""
    if broken:
        return "This notebook could not be graded"
    if not score.points:
        return "Nothing in this notebook is worth points"
    text = f"{number(score.earned)} of {number(score.points)}"
    if not score.waiting:
        return f"{text} {score.noun}"
    verb = "awaits" if score.waiting == 1 else "await"
    return f"{text} so far; {number(score.waiting)} {verb} your instructor"


def next_step(exercises: Sequence[Section], score: Score, broken: str) -> tuple[str, str, Markup]:
    """Say what to do next: the title and the anchor of an exercise, and words."""
    if broken:
        what = "If that does not help, ask" if "hand it in again" in broken else "Mend that, or ask"
        return "", "", _inline(f"{broken} {what} your instructor.")
    lacking = [section for section in exercises if section.score.gain > 0]
    # Who has not begun begins at the beginning.
    begun = [section for section in lacking if section.score.state != "unanswered"]
    most = max(
        lacking if begun else lacking[:1], key=lambda section: section.score.gain, default=None
    )
    if most is None:
        waits = "What is left is with your instructor." if score.waiting else "Nothing is left."
        return "", "", _inline(f"Every automatic check is content. {waits}" if score.points else "")
    points = number(most.score.gain)
    gain = f"There is {points} point to gain." if points == "1" else f"{points} points to gain."
    if most.score.state == "unanswered":
        return most.title, most.anchor, _inline(f"{gain} You have not answered it yet.")
    said = most.first_sentence
    if most.cause and (not said or said == _inline(NO_FUNCTION)):
        said = _inline(most.cause)
    return most.title, most.anchor, Markup("{} {}").format(gain, said)


def notes_on(
    exercises: Sequence[Section],
    score: Score,
    marks: Marks,
    remarks: Sequence[str],
    broken: str,
) -> tuple[str, ...]:
    """Say what else is to be known: lateness, extra credit, gaps, and what the grader remarked."""
    notes: list[str] = []
    if marks.hours_late or marks.late_penalty:
        late = f"Handed in {_long(marks.hours_late)} late" if marks.hours_late else "Handed in late"
        cost = (
            f"{number(marks.late_penalty)} {_noun(marks.late_penalty)} taken off for it."
            if marks.late_penalty
            else "no points were taken off for it."
        )
        notes.append(f"{late}: {cost}")
    if score.extra:
        verb = is_or_are(score.extra)
        notes.append(f"{number(score.extra)} of your points {verb} extra credit.")
    empty = sum(section.score.state == "unanswered" for section in exercises)
    if empty and not broken:
        are = "exercise is" if empty == 1 else "exercises are"
        notes.append(f"{empty} {are} not answered yet.")
    notes += [*remarks, *map(sentence, marks.repeated_remarks)]
    return tuple(dict.fromkeys(note for note in notes if note and note != broken))


def _noun(points: float) -> str:
    return "point was" if points == 1 else "points were"


def _long(hours: float) -> str:
    if hours >= 48:
        return f"{hours / 24:.0f} days"
    if hours >= 1.5:
        return f"{hours:.0f} hours"
    minutes = max(round(hours * 60), 1)
    return "1 minute" if minutes == 1 else f"{minutes} minutes"


def remarks_in(said: Mapping[str, object]) -> tuple[str, ...]:
    """Read what the grader remarked on the whole notebook."""
    remarks = said.get("remarks")
    items = remarks[:20] if isinstance(remarks, list | tuple) else []
    return tuple(text for item in items if (text := sentence(item)))


def sentence(value: object) -> str:
    """Read a sentence of the grader's, with a full stop."""
    text = plain(value).strip()[:1_000] if isinstance(value, str) else ""
    return text if not text or text[-1] in ".!?" else f"{text}."


def _inline(text: str) -> Markup:
    return Markup(inline(plain(text)))  # inline escapes
