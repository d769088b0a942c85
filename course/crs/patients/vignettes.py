"""Twelve fictional patients at one moment, with their grades on all six scales."""

from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from crs.checked_yaml import Record, read_checked
from crs.errors import InvalidInput
from crs.guidelines.schema import Scalar
from crs.patients.bedside import BedsideState


@dataclass(frozen=True)
class Vignette:
    """One fictional patient at one moment.

    Attributes
    ----------
    id : str
        A capital letter.
    title, story : str
        What sets this patient apart, and what the bedside shows, in words.
    state : BedsideState
        The same as data.
    grades : dict of str to int
        Grade by guideline id.
    teaches : str
        What the comparison of the six scales shows here.
    """

    id: str
    title: str
    story: str
    state: BedsideState
    grades: dict[str, int]
    teaches: str


class _Entry(Record):
    id: str
    title: str
    story: str
    state: dict[str, Scalar]
    grades: dict[str, int]
    teaches: str


class _VignetteFile(Record):
    title: str
    vignettes: tuple[_Entry, ...]


@cache
def vignettes() -> tuple[Vignette, ...]:
    """Load the twelve vignettes, A to L.

    Returns
    -------
    tuple of Vignette
    """
    path = Path(str(resources.files("crs.patients"))) / "vignettes.yaml"
    return tuple(
        Vignette(
            entry.id,
            entry.title,
            entry.story,
            BedsideState.from_mapping(entry.state),
            entry.grades,
            entry.teaches,
        )
        for entry in read_checked(path, _VignetteFile).vignettes
    )


def vignette(vignette_id: str) -> Vignette:
    """Load one vignette.

    Parameters
    ----------
    vignette_id : str
        ``"A"`` to ``"L"``.

    Returns
    -------
    Vignette

    Raises
    ------
    InvalidInput
        If there is no vignette of that id.
    """
    for found in vignettes():
        if found.id == vignette_id:
            return found
    known = ", ".join(item.id for item in vignettes())
    raise InvalidInput("vignette_id", vignette_id, f"one of {known}")
