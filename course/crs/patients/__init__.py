"""Fictional patients: what the bedside shows, and the facts that grading tables ask for."""

from crs.patients.bedside import BedsideState, facts_of
from crs.patients.vignettes import Vignette, vignette, vignettes

__all__ = ["BedsideState", "Vignette", "facts_of", "vignette", "vignettes"]
