"""A form that is filled in, checked for gaps, and committed once.

The learner chooses; the button stays shut until every question has an answer; committing locks
the form. Explorers and quizzes use it. The browser side is made of native fieldsets, radio buttons
and check boxes, so that keys and screen readers work.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import anywidget
import traitlets

from crs.errors import InvalidInput

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Question:
    """One thing that a form asks.

    Attributes
    ----------
    name : str
        Key of the answer.
    legend : str
        The question in words.
    options : mapping of str to str
        Value and words of each option.
    kind : {"line", "list", "boxes"}
        One of a few side by side; one of a list; any number of boxes to tick.
    note : str
        A remark below the legend.
    short : str
        What is said to be missing, such as ``"an answer"``; the legend where empty.
    """

    name: str
    legend: str
    options: Mapping[str, str]
    kind: Literal["line", "list", "boxes"] = "list"
    note: str = ""
    short: str = ""

    @property
    def needs_answer(self) -> bool:
        """Whether the form cannot be committed without it; boxes may all stay empty."""
        return self.kind != "boxes"


Answers = Mapping[str, str | tuple[str, ...]]


@dataclass(frozen=True)
class FormContent:
    """What a form shows.

    Attributes
    ----------
    key : str
        Changes when the form is about something else, so that the browser draws it anew.
    kicker, title, text : str
        A short line, the heading and the text above the questions, each may be empty.
    questions : tuple of Question
        What is asked.
    button : str
        Words of the button.
    name : str
        What a screen reader calls the form.
    """

    key: str
    name: str
    questions: tuple[Question, ...]
    button: str
    kicker: str = ""
    title: str = ""
    text: str = ""


class Form(anywidget.AnyWidget):
    """A form in the browser.

    Parameters
    ----------
    content : FormContent
        What is asked.
    on_commit : callable
        Called with the answers, once, when the learner commits.

    Attributes
    ----------
    content : FormContent
        What is asked; `ask` changes it.
    locked : bool
        Whether the answers have been committed.
    """

    _esm = _HERE / "form.js"
    _css = _HERE / "form.css"
    spec = traitlets.Dict().tag(sync=True)
    answers = traitlets.Dict().tag(sync=True)
    marks = traitlets.Dict().tag(sync=True)
    locked = traitlets.Bool(False).tag(sync=True)

    def __init__(self, content: FormContent, on_commit: Callable[[Answers], None]) -> None:
        super().__init__()
        self.content = content
        self._on_commit = on_commit
        self.on_msg(self._on_message)
        self.ask(content)

    def ask(self, content: FormContent, answers: Answers | None = None) -> None:
        """Ask something else, or show what has been answered.

        Parameters
        ----------
        content : FormContent
            What is asked.
        answers : mapping, optional
            Committed answers; the form is then locked.
        """
        self.content = content
        with self.hold_sync():
            self.locked = answers is not None
            self.marks = {}
            self.answers = {
                name: list(value) if isinstance(value, tuple) else value
                for name, value in (answers or {}).items()
            }
            self.spec = {
                "key": content.key,
                "name": content.name,
                "kicker": content.kicker,
                "title": content.title,
                "text": content.text,
                "button": content.button,
                "questions": [
                    {
                        "name": question.name,
                        "legend": question.legend,
                        "options": list(question.options.items()),
                        "kind": question.kind,
                        "note": question.note,
                        "short": question.short or question.legend,
                    }
                    for question in content.questions
                ],
            }

    def fill(self, **answers: str | Sequence[str]) -> None:
        """Choose answers, as a click in the browser does.

        Parameters
        ----------
        **answers : str or sequence of str
            By name of the question; a sequence for boxes.
        """
        if not self.locked:
            self.answers = {
                **self.answers,
                **{
                    name: value if isinstance(value, str) else list(value)
                    for name, value in answers.items()
                },
            }

    @property
    def missing(self) -> tuple[str, ...]:
        """What still needs an answer."""
        return tuple(
            question.short or question.legend
            for question in self.content.questions
            if question.needs_answer and self.answers.get(question.name) not in question.options
        )

    def commit(self) -> None:
        """Lock the answers and hand them on.

        Raises
        ------
        InvalidInput
            If a question has no answer, or one that is not among its options.
        """
        if self.locked:
            return
        checked: dict[str, str | tuple[str, ...]] = {}
        for question in self.content.questions:
            given = self.answers.get(question.name)
            if question.kind == "boxes":
                ticked = tuple(given) if isinstance(given, list | tuple) else ()
                for value in ticked:
                    if value not in question.options:
                        raise InvalidInput(question.legend, value, _one_of(question))
                checked[question.name] = tuple(v for v in question.options if v in ticked)
            else:
                if not isinstance(given, str) or given not in question.options:
                    raise InvalidInput(question.legend, given, _one_of(question))
                checked[question.name] = given
        self.locked = True
        self._on_commit(checked)

    def mark(self, marks: Mapping[str, Mapping[str, Mapping[str, str]]]) -> None:
        """Put a word and a remark beside options, after the commit.

        Parameters
        ----------
        marks : mapping
            By question and option: ``word`` (such as "right"), ``tone`` ("good", "bad" or
            "plain") and ``text``.
        """
        self.marks = {
            name: {option: dict(mark) for option, mark in options.items()}
            for name, options in marks.items()
        }

    def _on_message(self, widget: object, content: Any, buffers: object) -> None:
        if content == {"commit": True} and not self.missing:
            self.commit()


class LiveRegion(anywidget.AnyWidget):
    """HTML that screen readers hear when it changes."""

    _esm = _HERE / "live.js"
    html = traitlets.Unicode().tag(sync=True)

    def focus(self) -> None:
        """Move the focus here, as when the form that had it is gone."""
        self.send({"focus": True})


def _one_of(question: Question) -> str:
    return "one of " + ", ".join(question.options.values())
