"""Explorers: pictures that answer to sliders. Each class only wires; the rules lie elsewhere."""

from crs.explorers.agreement import AgreementView
from crs.explorers.cascade_simulator import CascadeSimulator
from crs.explorers.case_player import CasePlayer
from crs.explorers.cohort_view import CohortView
from crs.explorers.dose_desk import DoseDesk
from crs.explorers.grading_comparator import GradingComparator
from crs.explorers.infusion_view import InfusionView
from crs.explorers.management import ManagementDesk
from crs.explorers.pk_playground import PKPlayground
from crs.explorers.population_view import PopulationView
from crs.explorers.receptor_occupancy import ReceptorOccupancy
from crs.explorers.removal_view import RemovalView
from crs.explorers.tocilizumab_paradox import TocilizumabParadox
from crs.explorers.trajectory import Trajectory
from crs.explorers.treatment_planner import TreatmentPlanner
from crs.explorers.virtual_patient_view import VirtualPatientView
from crs.explorers.washout import WashoutView

__all__ = [
    "AgreementView",
    "CascadeSimulator",
    "CasePlayer",
    "CohortView",
    "DoseDesk",
    "GradingComparator",
    "InfusionView",
    "ManagementDesk",
    "PKPlayground",
    "PopulationView",
    "ReceptorOccupancy",
    "RemovalView",
    "TocilizumabParadox",
    "Trajectory",
    "TreatmentPlanner",
    "VirtualPatientView",
    "WashoutView",
]
