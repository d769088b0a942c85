"""Explorers: pictures that answer to sliders. Each class only wires; the rules lie elsewhere."""

from crs.explorers.grading_comparator import GradingComparator
from crs.explorers.trajectory import Trajectory

__all__ = ["GradingComparator", "Trajectory"]
