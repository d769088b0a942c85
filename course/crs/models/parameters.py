"""What a model holds: its parameters with sources, its units, and what can be read off it."""

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from crs.checked_yaml import ProblemAt, Record, file_of, ids_in, limits, read_checked

_FOLDER = Path(__file__).parent / "values"

ParameterStatus = Literal["read", "recalled", "calibrated", "convention"]


class Parameter(Record):
    """One number of a model, with where it comes from.

    Attributes
    ----------
    value : float
        What it is in the typical patient.
    unit, meaning : str
    source : str
        A key of the model's sources.
    status : {"read", "recalled", "calibrated", "convention"}
        Whether a source was read, is remembered, was fitted, or is the course's own choice.
    minimum, maximum : float
        What a caller may set it to.
    """

    value: float
    unit: str
    meaning: str
    source: str
    status: ParameterStatus
    minimum: float
    maximum: float

    def __post_init__(self) -> None:
        if not self.minimum <= self.value <= self.maximum:
            raise ValueError(f"{self.value} is not from {self.minimum} to {self.maximum}")


class Output(Record):
    """One quantity that can be read off a simulation."""

    unit: str
    meaning: str


class Model(Record):
    """What a model holds beside its equations.

    Attributes
    ----------
    id, title, about : str
    time_unit : {"hour", "day"}
        Of every time that goes in or comes out.
    amount_unit : str
        Of what is infused.
    infusions : int
        How many infusions the model has room for.
    longest_time : float
        How far it may be simulated, in its time unit.
    relative_tolerance : float
        How exactly its equations are solved.
    sources : dict of str to str
    parameters : dict of str to Parameter
    outputs : dict of str to Output
    """

    id: str
    title: str
    about: str
    time_unit: Literal["hour", "day"]
    amount_unit: str
    infusions: Annotated[int, limits(ge=0)]
    longest_time: Annotated[float, limits(gt=0)]
    sources: dict[str, str]
    parameters: dict[str, Parameter]
    outputs: dict[str, Output]
    relative_tolerance: Annotated[float, limits(gt=0, le=1e-3)] = 1e-8

    def __post_init__(self) -> None:
        for name, parameter in self.parameters.items():
            if parameter.source not in self.sources:
                known = ", ".join(self.sources)
                raise ProblemAt(
                    ("parameters", name, "source"),
                    f"{parameter.source!r} is none of the sources {known}",
                )


def model_ids() -> tuple[str, ...]:
    """List the models of the course.

    Returns
    -------
    tuple of str
    """
    return ids_in(_FOLDER)


@cache
def load_model(model_id: str) -> Model:
    """Read what is known of a model.

    Parameters
    ----------
    model_id : str
        One of `model_ids`.

    Returns
    -------
    Model

    Raises
    ------
    InvalidInput
        If there is no such model.
    InvalidFile
        If its file does not follow the schema.
    """
    return read_checked(file_of(_FOLDER, "model", model_id), Model)
