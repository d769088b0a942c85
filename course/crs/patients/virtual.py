"""A virtual patient: who it is, and in what it differs from the typical one.

The same seed gives the same patient. Nobody of flesh and blood is meant: SYNTHETIC.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal, get_args

import numpy as np

from crs.checked_yaml import Record, limits, read_checked
from crs.errors import InvalidInput
from crs.models.cascade import Dose, Snapshot
from crs.models.parameters import ParameterStatus, load_model
from crs.models.simulation import checked_number

_FILE = Path(__file__).parent / "population.yaml"

Product = Literal["CAR T cells", "blinatumomab", "activating antibody"]

DISEASES = ("B-cell acute lymphoblastic leukemia", "large B-cell lymphoma")
LARGEST_SEED = 2**31 - 1
# Effects that are where the course starts, not parameters of the model.
_STARTS = ("burden", "infused_cells")
_MOST_SPREADS = 3.0
_HOURS_A_DAY = 24.0
# Conventions: the label's steps of blinatumomab at 45 kg or more, and a small dose of an antibody.
_BLINATUMOMAB_UG_DAY = ((0, 7, 9.0), (7, 28, 28.0))
_ANTIBODY_MG_KG = 0.1


class Effect(Record):
    """How one property differs between people.

    Attributes
    ----------
    kind : {"lognormal", "normal"}
    middle, spread : float
        Median and standard deviation of the logarithm, or mean and standard deviation.
    unit, meaning, source : str
    status : {"read", "recalled", "calibrated", "convention"}
    """

    kind: Literal["lognormal", "normal"]
    middle: float
    spread: Annotated[float, limits(ge=0)]
    unit: str
    meaning: str
    source: str
    status: ParameterStatus


class Population(Record):
    """How the patients of the course differ."""

    id: str
    sources: dict[str, str]
    effects: dict[str, Effect]


@cache
def population() -> Population:
    """Read how patients differ.

    Returns
    -------
    Population
    """
    return read_checked(_FILE, Population)


@dataclass(frozen=True)
class VirtualPatient:
    """One fictional patient.

    Attributes
    ----------
    seed : int
        Makes the same patient again.
    product : {"CAR T cells", "blinatumomab", "activating antibody"}
    age_years, weight_kg, height_cm : float
    female : bool
    disease : str
    burden : float
        Target cells against the reference burden.
    baseline_crp_mg_l, baseline_map_mmhg : float
        Before everything.
    neutropenia_from_h, neutropenia_to_h : float
        Hours between which neutrophils are below 0.5 ×10⁹/L.
    infection_h : float or None
        Hour at which an infection begins; None for a patient without one.
    frailty : float
        How much harm this patient survives; 1 in the middle.
    effects : mapping of str to float
        Random effects, by name as in ``population.yaml``.
    """

    seed: int
    product: Product
    age_years: float
    weight_kg: float
    height_cm: float
    female: bool
    disease: str
    burden: float
    baseline_crp_mg_l: float
    baseline_map_mmhg: float
    neutropenia_from_h: float
    neutropenia_to_h: float
    infection_h: float | None
    frailty: float
    effects: Mapping[str, float]

    @property
    def body_surface_m2(self) -> float:
        """Body surface by Mosteller's formula."""
        return math.sqrt(self.height_cm * self.weight_kg / 3600)

    @property
    def parameters(self) -> dict[str, float]:
        """What differs from the typical patient in the model of the cascade."""
        antibody = load_model("tocilizumab").parameters
        relative = self.body_surface_m2 / antibody["reference_surface_m2"].value
        clearance = relative ** antibody["surface_exponent"].value
        if self.female:
            clearance *= antibody["female_factor"].value
        own = {name: value for name, value in self.effects.items() if name not in _STARTS}
        return {
            **own,
            "surface_factor": clearance,
            "baseline_crp": self.baseline_crp_mg_l,
            "baseline_map": self.baseline_map_mmhg,
        }

    @property
    def start(self) -> Snapshot:
        """The hour at which the product is given."""
        cells = self.effects["infused_cells"] if self.product == "CAR T cells" else 0.0
        return Snapshot(
            0.0,
            {"tumor": self.burden, "effector": cells, "crp": self.baseline_crp_mg_l},
        )

    @property
    def trigger(self) -> tuple[Dose, ...]:
        """What sets the cascade off, where it is given as a drug."""
        if self.product == "blinatumomab":
            return tuple(
                Dose(
                    "blinatumomab",
                    first * _HOURS_A_DAY,
                    ug_day * (last - first),
                    (last - first) * _HOURS_A_DAY,
                )
                for first, last, ug_day in _BLINATUMOMAB_UG_DAY
            )
        if self.product == "activating antibody":
            return (Dose("activating antibody", 0.0, _ANTIBODY_MG_KG * self.weight_kg),)
        return ()


def virtual_patient(
    seed: int,
    product: Product = "CAR T cells",
    *,
    weight_kg: float | None = None,
    burden: float | None = None,
) -> VirtualPatient:
    """Make a fictional adult.

    Parameters
    ----------
    seed : int
        From 0 to 2³¹ − 1. The same seed gives the same patient, whatever else is asked.
    product : {"CAR T cells", "blinatumomab", "activating antibody"}
    weight_kg : float, optional
        Body weight instead of the one that the seed gives, 30 to 200 kg.
    burden : float, optional
        Burden instead of the one that the seed gives, 0.01 to 30 times the reference.

    Returns
    -------
    VirtualPatient

    Raises
    ------
    InvalidInput
        Names the field, the value and what is allowed.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise InvalidInput("seed", seed, "a whole number")
    if not 0 <= seed <= LARGEST_SEED:
        raise InvalidInput("seed", seed, f"from 0 to {LARGEST_SEED}")
    if product not in get_args(Product):
        raise InvalidInput("product", product, "one of " + ", ".join(get_args(Product)))
    # The older generator, as its numbers are promised to stay the same in every version of NumPy.
    random = np.random.RandomState(int(seed))
    # Drawn in a fixed order, so that one more property at the end changes no patient.
    effects = {name: _drawn(effect, random) for name, effect in population().effects.items()}
    female = bool(random.random_sample() < 0.45)
    age = float(np.clip(random.normal(52, 15), 18, 80))
    height = float(np.clip(random.normal(164 if female else 177, 7), 145, 205))
    usual_weight = float(np.clip(random.normal(68 if female else 82, 14), 42, 140))
    disease = DISEASES[int(random.random_sample() < 0.6)]
    neutropenia_from = float(random.uniform(24, 96))
    neutropenia_to = neutropenia_from + float(np.clip(random.normal(216, 72), 96, 480))
    infected = bool(random.random_sample() < 0.25)
    infection = float(random.uniform(neutropenia_from + 12, neutropenia_to - 24))
    frailty = float(math.exp(random.normal(0, 0.35)))
    weight = checked_number(
        "weight_kg", usual_weight if weight_kg is None else weight_kg, 30, 200, "kg"
    )
    effects["burden"] = checked_number(
        "burden", effects["burden"] if burden is None else burden, 0.01, 30, "times the reference"
    )
    return VirtualPatient(
        seed=int(seed),
        product=product,
        age_years=round(age),
        weight_kg=round(weight, 1),
        height_cm=round(height),
        female=female,
        disease=disease,
        burden=effects["burden"],
        baseline_crp_mg_l=effects.pop("baseline_crp"),
        baseline_map_mmhg=effects.pop("baseline_map"),
        neutropenia_from_h=neutropenia_from,
        neutropenia_to_h=neutropenia_to,
        infection_h=infection if infected else None,
        frailty=frailty,
        effects=MappingProxyType(effects),
    )


def _drawn(effect: Effect, random: np.random.RandomState) -> float:
    """Draw one effect; the far tails are cut, so that no patient leaves what the model allows."""
    z = float(np.clip(random.standard_normal(), -_MOST_SPREADS, _MOST_SPREADS))
    if effect.kind == "normal":
        return effect.middle + effect.spread * z
    return effect.middle * math.exp(effect.spread * z)
