"""What all explorers share: controls that are native inputs, a live sentence, pictures with words.

An explorer is wiring between frozen parameters, a pure function, and a picture. It subclasses
`Explorer`, names its controls, and says in ``update`` what to show::

    class Doubling(Explorer):
        def __init__(self) -> None:
            super().__init__(
                "Doubling",
                {"dose_mg": slider_with_field("Dose", 0, 800, 10, 80, "mg")},
            )
            self.view = self.picture()
            self.compose(self.view)

        def update(self) -> None:
            result = double(self.controls["dose_mg"].value)
            self.view.show(doubling_picture(result))
            self.say(f"Twice the dose is {result:g} mg.")

ipywidgets has no types; what is typed by hand stays in this module.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import anywidget
import ipywidgets as widgets
import traitlets

from crs.errors import InvalidInput
from crs.explorers.figure import LiveFigure
from crs.figures.theme import Picture

Kind = Literal["slider", "counter", "choice", "segments", "toggle"]
Value = bool | int | float | str

MOST_VISIBLE_CONTROLS = 6
_HERE = Path(__file__).parent


class Control(traitlets.HasTraits):
    """One input of an explorer, with its label, unit and limits.

    Use the helpers below (`slider_with_field`, `counter`, `choice`, `segments`, `toggle`).
    ``value`` can be read, set and observed. A number outside the limits is moved to the nearest
    limit, as the number field in the browser does.

    Attributes
    ----------
    value : bool, int, float or str
        What is set.
    visible : bool
        Whether it is shown at all; a control that makes no sense just now is not.
    kind, label, unit, note : str
        What it is, in words.
    minimum, maximum, step : float
        Limits of a number.
    choices : tuple of str
        Values of a choice; `shown` has the words for them.
    default : bool, int, float or str
        What a reset restores.
    neutral : bool, int, float or str
        What counts as not set, when a group says how many of its controls are set.
    """

    value = traitlets.Any()
    visible = traitlets.Bool(True)

    def __init__(
        self,
        kind: Kind,
        label: str,
        default: Value,
        *,
        unit: str = "",
        note: str = "",
        minimum: float = 0.0,
        maximum: float = 0.0,
        step: float = 1.0,
        choices: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.kind = kind
        self.label = label
        self.unit = unit
        self.note = note
        self.minimum = minimum
        self.maximum = maximum
        self.step = step
        self.shown = dict(choices or {})
        self.choices = tuple(self.shown)
        self.value = default
        self.default: Value = self.value
        self.neutral: Value = self.value

    @traitlets.validate("value")
    def _accept(self, proposal: Mapping[str, Any]) -> Value:
        value = proposal["value"]
        if self.kind == "toggle":
            return bool(value)
        if self.kind in ("choice", "segments"):
            if value not in self.shown:
                raise InvalidInput(self.label, value, "one of " + ", ".join(self.choices))
            return str(value)
        number = float(value)
        if not math.isfinite(number):
            raise InvalidInput(
                self.label, value, f"a number from {self.minimum:g} to {self.maximum:g}"
            )
        number = min(self.maximum, max(self.minimum, number))
        return round(number) if self.kind == "counter" else number

    def spec(self, name: str) -> dict[str, Any]:
        """Describe the control for the browser.

        Parameters
        ----------
        name : str
            Its name in the explorer.

        Returns
        -------
        dict
        """
        return {
            "name": name,
            "kind": self.kind,
            "label": self.label,
            "unit": self.unit,
            "note": self.note,
            "minimum": self.minimum,
            "maximum": self.maximum,
            "step": self.step,
            "choices": list(self.shown.items()),
            "default": self.default,
            "neutral": self.neutral,
        }


def slider_with_field(
    label: str,
    minimum: float,
    maximum: float,
    step: float,
    value: float,
    unit: str = "",
    note: str = "",
) -> Control:
    """Return a number that is set by a slider or typed into the field beside it.

    Parameters
    ----------
    label : str
        In words, without the unit.
    minimum, maximum, step, value : float
        Limits, grain, and the default.
    unit : str
        Shown after the label. Empty for a number without one.
    note : str
        A short remark below the control.

    Returns
    -------
    Control
    """
    return Control(
        "slider",
        label,
        float(value),
        unit=unit,
        note=note,
        minimum=minimum,
        maximum=maximum,
        step=step,
    )


def counter(
    label: str, minimum: int, maximum: int, value: int = 0, unit: str = "", note: str = ""
) -> Control:
    """Return a whole number with buttons for one less and one more.

    Parameters
    ----------
    label : str
        In words, without the unit.
    minimum, maximum, value : int
        Limits and the default.
    unit, note : str
        As for `slider_with_field`.

    Returns
    -------
    Control
    """
    return Control("counter", label, value, unit=unit, note=note, minimum=minimum, maximum=maximum)


def choice(
    label: str, choices: Sequence[str] | Mapping[str, str], value: str, note: str = ""
) -> Control:
    """Return a choice of one from a list that drops down.

    Parameters
    ----------
    label : str
        In words.
    choices : sequence of str, or mapping of str to str
        The values; as a mapping, each with the words that are shown for it.
    value : str
        The default.
    note : str
        As for `slider_with_field`.

    Returns
    -------
    Control
    """
    return Control("choice", label, value, note=note, choices=_with_words(choices))


def segments(
    label: str,
    choices: Sequence[str] | Mapping[str, str],
    value: str,
    unit: str = "",
    note: str = "",
) -> Control:
    """Return a choice of one from a few that all stay in sight, side by side.

    Parameters
    ----------
    label : str
        In words.
    choices, value, note
        As for `choice`.
    unit : str
        Shown after the label.

    Returns
    -------
    Control
    """
    return Control("segments", label, value, unit=unit, note=note, choices=_with_words(choices))


def toggle(label: str, value: bool = False, note: str = "") -> Control:
    """Return a box to tick.

    Parameters
    ----------
    label : str
        In words, true when it is ticked.
    value : bool
        The default.
    note : str
        As for `slider_with_field`.

    Returns
    -------
    Control
    """
    return Control("toggle", label, value, note=note)


def _with_words(choices: Sequence[str] | Mapping[str, str]) -> dict[str, str]:
    if isinstance(choices, Mapping):
        return dict(choices)
    return {value: value for value in choices}


class ControlPanel(anywidget.AnyWidget):
    """The controls in the browser: native inputs, so that keys and screen readers work."""

    _esm = _HERE / "panel.js"
    _css = _HERE / "explorers.css"
    title = traitlets.Unicode().tag(sync=True)
    resettable = traitlets.Bool(True).tag(sync=True)
    specs: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    groups: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    # Not echoed: while the kernel is busy, an echo would move a slider back under the hand.
    values = traitlets.Dict().tag(sync=True, echo_update=False)
    hidden: traitlets.List[str] = traitlets.List().tag(sync=True)
    group = traitlets.Unicode().tag(sync=True, echo_update=False)


class Sentence(anywidget.AnyWidget):
    """A sentence that screen readers hear when it changes."""

    _esm = _HERE / "sentence.js"
    _css = _HERE / "explorers.css"
    text = traitlets.Unicode().tag(sync=True)
    refused = traitlets.Bool(False).tag(sync=True)


class PictureView(widgets.VBox):  # type: ignore[misc]  # ipywidgets is untyped
    """A picture on the page: drawn once, then only changed, always with its words.

    Attributes
    ----------
    picture : Picture or None
        What is shown now.
    """

    def __init__(self) -> None:
        super().__init__()
        self.add_class("crs-picture")
        self.picture: Picture | None = None
        self._figure: LiveFigure | None = None
        self._overlay = html_block("crs-overlay")

    def show(self, picture: Picture) -> None:
        """Show a picture.

        Parameters
        ----------
        picture : Picture
        """
        if self._figure is None:
            self._figure = LiveFigure(picture)
            overlay = (self._overlay,) if picture.overlay else ()
            self.children = (self._figure, *overlay)
        else:
            self._figure.show(picture)
        self.picture = picture
        self._overlay.value = picture.overlay

    @property
    def alt(self) -> str:
        """The picture in words."""
        return "" if self.picture is None else self.picture.alt


class Explorer(widgets.VBox):  # type: ignore[misc]  # ipywidgets is untyped
    """Base of all explorers: wires controls to what `update` shows.

    A subclass calls ``super().__init__`` with its controls, makes its parts, and ends with
    `compose`. It overrides `update`, which reads ``self.controls[name].value``, shows pictures and
    calls `say`. An `InvalidInput` that `update` raises is shown as a sentence.

    Parameters
    ----------
    title : str
        Name of the explorer, shown above its controls.
    controls : mapping of str to Control
        In the order in which they are shown.
    groups : mapping of str to sequence of str, optional
        Labeled groups of control names, of which one is visible at a time. A control in no group
        is always visible. At most six controls may be visible at once.
    css_class : str
        A further class of the outermost element, such as ``crs-comparator``.

    Attributes
    ----------
    controls : dict of str to Control
    panel : ControlPanel
    pictures : list of PictureView
        All that `picture` made.
    """

    def __init__(
        self,
        title: str,
        controls: Mapping[str, Control],
        *,
        groups: Mapping[str, Sequence[str]] | None = None,
        css_class: str = "",
    ) -> None:
        super().__init__()
        self.add_class("crs-explorer")
        if css_class:
            self.add_class(css_class)
        self.title = title
        self.controls = dict(controls)
        self.groups = {name: tuple(members) for name, members in (groups or {}).items()}
        self.pictures: list[PictureView] = []
        self._sentence = Sentence()
        self._holding = 0
        self._due = False
        self._composed = False
        self.panel = ControlPanel(
            title=title,
            specs=[control.spec(name) for name, control in self.controls.items()],
            groups=[
                {"name": name, "controls": list(members)} for name, members in self.groups.items()
            ],
            values={name: control.value for name, control in self.controls.items()},
            group=next(iter(self.groups), ""),
        )
        self.panel.observe(self._on_panel, names="values")
        self.panel.on_msg(self._on_message)
        for control in self.controls.values():
            control.observe(self._on_control, names=["value", "visible"])

    def compose(self, *parts: widgets.Widget) -> None:
        """Put the parts below the controls and the sentence, and show everything.

        Parameters
        ----------
        *parts : ipywidgets.Widget
            In the order in which they are shown. The sentence comes first, unless
            ``self.sentence_line`` is among the parts.
        """
        first = () if self._sentence in parts else (self._sentence,)
        self._composed = True
        self._settle()
        self.children = (self.panel, *first, *parts)

    @property
    def sentence_line(self) -> widgets.Widget:
        """The live sentence as a part for `compose`."""
        return self._sentence

    def picture(self) -> PictureView:
        """Make a place for a picture; show one with its ``show``.

        Returns
        -------
        PictureView
        """
        view = PictureView()
        self.pictures.append(view)
        return view

    def update(self) -> None:
        """Show what the controls ask for. Each explorer overrides this."""
        raise NotImplementedError

    def refuse(self, error: InvalidInput) -> None:
        """Say why the controls ask for something that cannot be shown.

        Parameters
        ----------
        error : InvalidInput
            What `update` raised. Override to clear pictures too; call this first.
        """
        control = self.controls.get(error.field)
        name = control.label if control is not None else error.field
        unit = f" {control.unit}" if control is not None and control.unit else ""
        value = f"{error.value:g}{unit}" if isinstance(error.value, float) else str(error.value)
        self._sentence.text = f"{name} is {value}, but must be {error.allowed}."
        self._sentence.refused = True

    def refresh(self) -> None:
        """Show again what the controls ask for."""
        try:
            self._sentence.refused = False
            self.update()
        except InvalidInput as error:
            self.refuse(error)

    def say(self, sentence: str) -> None:
        """Say in words what the picture shows.

        Parameters
        ----------
        sentence : str
            Plain text, one or a few sentences.
        """
        self._sentence.text = sentence

    @property
    def sentence(self) -> str:
        """What is said now."""
        return str(self._sentence.text)

    def values(self) -> dict[str, Value]:
        """Return what all controls are set to."""
        return {name: control.value for name, control in self.controls.items()}

    def set(self, **values: Value) -> None:
        """Set several controls, and show the result once.

        Parameters
        ----------
        **values : bool, int, float or str
            By name of the control.
        """
        with self.together():
            for name, value in values.items():
                self.controls[name].value = value

    def reset(self) -> None:
        """Restore the defaults of all controls."""
        self.set(**{name: control.default for name, control in self.controls.items()})

    def limits(self, name: str) -> tuple[float, float]:
        """Return the lowest and highest value of a number.

        Parameters
        ----------
        name : str
            Of a slider or counter.

        Returns
        -------
        tuple of float
        """
        control = self.controls[name]
        return control.minimum, control.maximum

    def visible_controls(self, group: str | None = None) -> tuple[str, ...]:
        """List the controls that are visible at once.

        Parameters
        ----------
        group : str, optional
            Which group is open. The one that is open now by default.

        Returns
        -------
        tuple of str
        """
        opened = self.groups.get(group if group is not None else self.panel.group, ())
        grouped = {name for members in self.groups.values() for name in members}
        return tuple(
            name
            for name, control in self.controls.items()
            if control.visible and (name in opened or name not in grouped)
        )

    @contextmanager
    def together(self) -> Iterator[None]:
        """Hold the display until the block ends, so that several changes are shown once."""
        self._holding += 1
        try:
            yield
        finally:
            self._holding -= 1
            if not self._holding and self._due:
                self._settle()

    def _on_control(self, change: Mapping[str, Any]) -> None:
        self._settle()

    def _on_panel(self, change: Mapping[str, Any]) -> None:
        # Only what changed in the browser: one control may set others, which the browser's message
        # still has as they were.
        old, new = change["old"], change["new"]
        with self.together():
            for name, value in new.items():
                if value != old.get(name) and value != self.controls[name].value:
                    self.controls[name].value = value

    def _on_message(self, widget: object, content: object, buffers: object) -> None:
        if content == {"reset": True}:
            self.reset()

    def _settle(self) -> None:
        if self._holding:
            self._due = True
            return
        self._due = False
        if self._composed:
            self.refresh()
        self.panel.values = self.values()
        self.panel.hidden = [name for name, control in self.controls.items() if not control.visible]


def side_by_side() -> widgets.Layout:
    """Return a layout of two columns, or one on a narrow page.

    Returns
    -------
    ipywidgets.Layout
    """
    return widgets.Layout(
        display="grid",
        grid_template_columns="repeat(auto-fill, minmax(min(330px, 100%), 1fr))",
        width="100%",
    )


def button(words: str, on_click: Callable[[], None], *, main: bool = False) -> widgets.Button:
    """Return a button in the house style.

    Parameters
    ----------
    words : str
        What it does.
    on_click : callable
        Called without arguments.
    main : bool
        Whether it is the one thing to do next.

    Returns
    -------
    ipywidgets.Button
    """
    made = widgets.Button(description=words)
    made.add_class("crs-button")
    if main:
        made.add_class("crs-button-main")
    made.on_click(lambda _: on_click())
    return made


def html_block(css_class: str = "") -> widgets.HTML:
    """Return an empty block for a table or a card; set its ``value`` to HTML.

    Parameters
    ----------
    css_class : str
        A class for the style sheet.

    Returns
    -------
    ipywidgets.HTML
    """
    block = widgets.HTML()
    block.add_class("crs-html")
    if css_class:
        block.add_class(css_class)
    return block
