"""Fictional patients: what the bedside shows, and the facts that grading tables ask for."""

from crs.patients.bedside import BedsideState, facts_of

__all__ = ["BedsideState", "facts_of"]
