"""The cascade: published laws of direction for any patient, and a run that may be cut anywhere."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import roadrunner
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import crs.models.simulation as simulation
from crs.errors import InvalidInput
from crs.models.cascade import GIVEN, Dose, Snapshot, run_cascade
from crs.models.drugs import siltuximab_ug_ml, tocilizumab_ug_ml
from crs.models.parameters import load_model
from crs.models.simulation import Change, Infusion, simulate, simulate_in_steps
from crs.patients.virtual import VirtualPatient, virtual_patient

SBML = Path(simulation.__file__).parent / "sbml"
HOURS = np.arange(0.0, 28 * 24 + 1, 4.0)
OUTPUTS = list(load_model("cascade").outputs)

seeds = st.integers(0, 2**31 - 1)
patients = st.builds(
    virtual_patient, seeds, st.sampled_from(["CAR T cells", "blinatumomab", "activating antibody"])
)
some = settings(
    max_examples=25, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def followed(
    patient: VirtualPatient, *doses: Dose, hours: Any = HOURS, **start: float
) -> dict[str, Any]:
    begin = Snapshot(0.0, {**patient.start.states, **start})
    course = run_cascade(
        hours, parameters=patient.parameters, start=begin, doses=[*patient.trigger, *doses]
    )
    return dict(course.values)


def fever_from(values: dict[str, Any]) -> float:
    febrile = values["temp_c"] >= 38
    return float(HOURS[np.argmax(febrile)]) if febrile.any() else 120.0


# Laws


@some
@given(patient=patients)
def test_tocilizumab_raises_free_il6_and_lowers_signal_and_crp(patient: VirtualPatient) -> None:
    plain = followed(patient)
    hour = fever_from(plain)
    treated = followed(patient, Dose("tocilizumab", hour, 560))
    soon = (hour + 4 < HOURS) & (hour + 48 >= HOURS)
    assert (treated["il6_signal"][soon] < plain["il6_signal"][soon]).all()
    later = (hour + 24 < HOURS) & (hour + 96 >= HOURS)
    assert (treated["crp"][later] < plain["crp"][later]).all()
    assert treated["il6_free"][soon].max() > plain["il6_free"][soon].max()


@some
@given(patient=patients)
def test_siltuximab_lowers_free_il6_and_keeps_what_it_binds(patient: VirtualPatient) -> None:
    plain = followed(patient)
    hour = fever_from(plain)
    treated = followed(patient, Dose("siltuximab", hour, 770))
    soon = (hour + 4 < HOURS) & (hour + 48 >= HOURS)
    assert (treated["il6_free"][soon] < plain["il6_free"][soon]).all()
    assert (treated["il6_total"][soon] > treated["il6_free"][soon]).all()
    assert treated["il6_total"][soon].max() > plain["il6_total"][soon].max()


@some
@given(
    patient=patients,
    doses=st.lists(
        st.sampled_from(["tocilizumab", "siltuximab", "dexamethasone", "anakinra", "emapalumab"]),
        max_size=3,
        unique=True,
    ),
    hour=st.floats(0, 400),
)
def test_crp_never_falls_faster_than_its_half_life(
    patient: VirtualPatient, doses: list[str], hour: float
) -> None:
    found = followed(patient, *(Dose(what, hour, 100) for what in doses))["crp"]
    slowest = 0.5 ** (4 / load_model("cascade").parameters["crp_half_life"].value)
    assert (found[1:] >= found[:-1] * slowest * (1 - 1e-6)).all()


@some
@given(seed=seeds, burden=st.floats(0.05, 1))
def test_more_target_cells_mean_an_earlier_and_higher_peak(seed: int, burden: float) -> None:
    hours = np.arange(0, 40 * 24, 2.0)
    few = followed(virtual_patient(seed, burden=burden), hours=hours)["ifn_gamma"]
    many = followed(virtual_patient(seed, burden=burden * 3), hours=hours)["ifn_gamma"]
    assert many.max() > few.max()
    assert np.argmax(many) <= np.argmax(few)


@some
@given(seed=seeds)
def test_a_step_lowers_the_first_peak(seed: int) -> None:
    patient = virtual_patient(seed, "activating antibody")  # no trigger of its own below
    hours = np.arange(0, 7 * 24 + 1, 1.0)

    def peak(ug_day: float) -> float:
        course = run_cascade(
            hours,
            parameters=patient.parameters,
            start=patient.start,
            doses=[Dose("blinatumomab", 0, 7 * ug_day, 7 * 24)],
        )
        return float(course.values["il6_free"].max())

    assert peak(9) < peak(28)


@some
@given(seed=seeds)
def test_a_second_dose_meets_a_lower_peak(seed: int) -> None:
    patient = virtual_patient(seed, "blinatumomab")
    hours = np.arange(0, 14 * 24 + 1, 1.0)
    doses = [Dose("blinatumomab", day * 24, 28, 24) for day in (0, 7)]
    found = run_cascade(
        hours, parameters=patient.parameters, start=patient.start, doses=doses
    ).values["il6_free"]
    assert found[hours > 7 * 24].max() < found[hours <= 7 * 24].max()


@some
@given(seed=seeds)
def test_a_steroid_lowers_production_and_costs_cells(seed: int) -> None:
    patient = virtual_patient(seed)
    plain = followed(patient)
    hour = fever_from(plain)
    assume(hour < 600 and (plain["temp_c"] >= 38).any())
    doses = [Dose("dexamethasone", hour + 6 * number, 10) for number in range(8)]
    treated = followed(patient, *doses)
    soon = (hour + 8 <= HOURS) & (hour + 36 > HOURS)
    for mediator in ("ifn_gamma", "tnf", "il1", "il10", "il6_total"):
        assert (treated[mediator][soon] < plain[mediator][soon]).all(), mediator
    assert (treated["car_t"][soon] <= plain["car_t"][soon] * (1 + 1e-6)).all()


@some
@given(seed=seeds)
def test_neurotoxicity_comes_later_and_through_the_barrier(seed: int) -> None:
    patient = virtual_patient(seed)
    found = followed(patient)
    assert np.argmax(found["neurotoxicity"]) >= np.argmax(found["endothelium"])
    closed = run_cascade(
        HOURS,
        parameters={**patient.parameters, "barrier_open_rate": 0},
        start=Snapshot(0.0, {**patient.start.states, "barrier": 0, "neurotoxicity": 0}),
    )
    assert np.abs(closed.values["neurotoxicity"]).max() < 1e-9


def test_each_drug_acts_at_its_mechanism() -> None:
    patient = virtual_patient(7, burden=1.0)
    plain = followed(patient)
    hour = fever_from(plain) + 24

    def lower(drug: str, amount: float, output: str, until: float = 24) -> bool:
        soon = (hour + 3 < HOURS) & (hour + until >= HOURS)
        treated = followed(patient, Dose(drug, hour, amount))
        return bool((treated[output][soon] < 0.999 * plain[output][soon]).all())

    assert lower("anakinra", 200, "il6_total")  # less amplification by interleukin-1
    assert lower("etanercept", 50, "temp_c")
    assert lower("infliximab", 400, "temp_c")
    assert lower("emapalumab", 400, "macrophage")
    assert lower("acetaminophen", 1000, "temp_c", until=8)
    assert lower("plasma exchange", 1.5, "crp")
    assert lower("suicide gene", 0.9, "car_t")
    assert not lower("acetaminophen", 1000, "crp")
    assert not lower("anakinra", 200, "car_t")


def test_mediators_return_after_a_plasma_exchange() -> None:
    patient = virtual_patient(7, burden=1.0)
    hour = fever_from(followed(patient)) + 24
    hours = np.arange(hour - 2, hour + 13, 0.5)
    hours = np.concatenate([[0.0], hours])
    exchanged = followed(patient, Dose("plasma exchange", hour, 1.5), hours=hours)["il6_free"]
    lowest = exchanged[(hours > hour) & (hours <= hour + 2.5)].min()
    assert exchanged[hours == hour + 12][0] > 1.2 * lowest


def test_bacteria_grow_without_neutrophils_and_antibiotics_kill_them() -> None:
    patient = virtual_patient(3, burden=0.05)
    hours = np.arange(0, 97, 4.0)
    sick = followed(patient, hours=hours, infection=0.02)
    treated = followed(patient, Dose("antibiotics", 24, 1, 72), hours=hours, infection=0.02)
    assert sick["infection"][-1] > 0.5
    assert treated["infection"][-1] < 0.001
    assert sick["map_mmhg"][-1] < treated["map_mmhg"][-1] - 5
    assert sick["temp_c"].max() >= 38


# Whatever is asked


@some
@given(
    patient=patients,
    doses=st.lists(
        st.tuples(
            st.sampled_from(sorted(GIVEN)),
            st.floats(0.001, 1),
            st.floats(0, 600),
            st.floats(0.1, 48),
        ),
        max_size=6,
        unique_by=lambda dose: dose[0],
    ),
    infection=st.sampled_from([0.0, 0.02, 1.0]),
)
def test_nothing_is_negative_or_no_number(
    patient: VirtualPatient, doses: list[tuple[str, float, float, float]], infection: float
) -> None:
    given_now = [
        Dose(what, hour, share * GIVEN[what].most, hours)
        for what, share, hour, hours in doses
        if what not in {dose.what for dose in patient.trigger}
    ]
    found = followed(patient, *given_now, infection=infection)
    for name, values in found.items():
        assert np.isfinite(values).all(), name
        if name != "volume_l":
            assert (values >= -1e-6).all(), name
    for name in ("macrophage", "endothelium", "barrier", "il6_signal", "receptor_blocked"):
        assert (found[name] <= 1 + 1e-6).all(), name
    assert found["temp_c"].max() < 42


@some
@given(patient=patients, cuts=st.lists(st.floats(1, 670), max_size=5), day=st.floats(0, 20))
def test_a_run_may_be_cut_anywhere(patient: VirtualPatient, cuts: list[float], day: float) -> None:
    doses = [*patient.trigger, Dose("tocilizumab", day * 24, 560), Dose("anakinra", day * 24, 100)]
    whole = run_cascade(
        HOURS, parameters=patient.parameters, start=patient.start, doses=doses
    ).values
    now, pieces = patient.start, []
    for until in [*sorted(cuts), 672.0]:
        inside = [hour for hour in HOURS if now.time_h < hour <= until]
        course = run_cascade(
            [*inside, until], parameters=patient.parameters, start=now, doses=doses
        )
        pieces += list(course.values["il6_total"][: len(inside)])
        now = course.end
    np.testing.assert_allclose(pieces, whole["il6_total"][1:], rtol=1e-4, atol=1e-3)


def test_the_same_seed_is_the_same_patient_and_has_the_same_course() -> None:
    assert virtual_patient(11) == virtual_patient(11)
    assert virtual_patient(11) != virtual_patient(12)
    first, other, again = (followed(virtual_patient(seed)) for seed in (11, 12, 11))
    for name in OUTPUTS:
        np.testing.assert_array_equal(first[name], again[name])
    assert not np.array_equal(first["crp"], other["crp"])


def test_drugs_are_those_of_their_own_models() -> None:
    hours = np.arange(0, 28 * 24 + 1, 24.0)
    course = run_cascade(
        hours,
        start=Snapshot(0.0, {"tumor": 0.01}),
        doses=[Dose("tocilizumab", 0, 560), Dose("siltuximab", 0, 800)],
    ).values
    alone = tocilizumab_ug_ml(hours / 24, [Infusion(0, 560, 1 / 24)])
    np.testing.assert_allclose(course["tocilizumab_ug_ml"], alone, rtol=1e-5, atol=1e-5)
    alone = siltuximab_ug_ml(hours / 24, [Infusion(0, 800, 1 / 24)])
    np.testing.assert_allclose(course["siltuximab_ug_ml"], alone, rtol=1e-5, atol=1e-5)


def test_a_patient_without_a_trigger_stays_at_rest() -> None:
    found = run_cascade(HOURS, start=Snapshot(0.0, {})).values
    for name in ("temp_c", "map_mmhg", "spo2_room_air", "il6_free", "tnf", "ang2", "ferritin"):
        values = found[name]
        np.testing.assert_allclose(values, values[0], rtol=1e-3, err_msg=name)
    assert found["crp"].max() < 10


def test_libroadrunner_agrees_on_a_treated_patient() -> None:
    patient = virtual_patient(5, burden=1.0)
    doses = [Dose("tocilizumab", 180, 560), Dose("dexamethasone", 200, 10)]
    hours = np.arange(0, 673, 12.0)
    ours = followed(patient, *doses, hours=hours)
    other = roadrunner.RoadRunner(str(SBML / "cascade.xml"))
    other.integrator.relative_tolerance = 1e-9
    other.integrator.absolute_tolerance = 1e-11
    for name, value in {**patient.parameters, **patient.start.states}.items():
        other[name] = value
    rows = {0.0: [other[name] for name in OUTPUTS]}
    # In pieces, from one change to the next.
    for begin, end in itertools.pairwise([0.0, 180.0, 181.0, 200.0, 672.0]):
        other["tocilizumab_mg_per_h"] = 560.0 if begin == 180 else 0.0
        if begin == 200:
            other["steroid"] = other["steroid"] + 10.0
        inside = [hour for hour in hours if begin < hour <= end]
        wanted = [begin, *inside] if inside and inside[-1] == end else [begin, *inside, end]
        found = other.simulate(times=wanted, selections=["time", *OUTPUTS])
        rows |= {float(row[0]): list(row[1:]) for row in found[1:]}
    for at, name in enumerate(OUTPUTS):
        theirs = [rows[float(hour)][at] for hour in hours]
        scale = np.abs(ours[name]).max()
        np.testing.assert_allclose(
            ours[name], theirs, rtol=1e-3, atol=1e-5 * scale + 1e-18, err_msg=name
        )


# What it refuses


@pytest.mark.parametrize(
    ("ask", "field"),
    [
        (lambda: Dose("aspirin", 0, 1), "what"),
        (lambda: Dose("tocilizumab", -1, 560), "time_h"),
        (lambda: Dose("tocilizumab", math.nan, 560), "time_h"),
        (lambda: Dose("tocilizumab", 0, 8000), "amount"),
        (lambda: Dose("tocilizumab", 0, -8), "amount"),
        (lambda: Dose("tocilizumab", 0, True), "amount"),
        (lambda: Dose("tocilizumab", 0, 560, 0), "hours"),
        (lambda: run_cascade([]), "times_h"),
        (lambda: run_cascade([3, 1]), "times"),
        (lambda: run_cascade([1], start=Snapshot(2.0, {})), "times_h"),
        (lambda: run_cascade([1], start=Snapshot(0.0, {"charm": 1})), "state"),
        (lambda: run_cascade([1], start=Snapshot(0.0, {"crp": math.nan})), "crp"),
        (lambda: run_cascade([1], parameters={"il6_gain": -1}), "il6_gain"),
        (lambda: run_cascade([1], outputs=["charm"]), "outputs"),
        (
            lambda: run_cascade(
                [9], doses=[Dose("tocilizumab", 0, 8), Dose("tocilizumab", 0.5, 8)]
            ),
            "time_h of tocilizumab",
        ),
        (lambda: virtual_patient(1.5), "seed"),  # type: ignore[arg-type]
        (lambda: virtual_patient(True), "seed"),
        (lambda: virtual_patient(-1), "seed"),
        (lambda: virtual_patient(1, "aspirin"), "product"),  # type: ignore[arg-type]
        (lambda: virtual_patient(1, weight_kg=-70), "weight_kg"),
        (lambda: virtual_patient(1, weight_kg=math.nan), "weight_kg"),
        (lambda: virtual_patient(1, burden=0), "burden"),
    ],
)
def test_what_it_refuses(ask: Any, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        ask()
    assert refused.value.field == field


# In steps


def test_steps_without_a_change_are_a_plain_run() -> None:
    plain = simulate("cascade", HOURS, outputs=["temp_c"]).values["temp_c"]
    stepped = simulate_in_steps("cascade", HOURS, outputs=["temp_c"]).values["temp_c"]
    np.testing.assert_allclose(stepped, plain, rtol=1e-9)


def test_the_first_moment_is_worked_out_even_if_something_is_given_then() -> None:
    patient = virtual_patient(3)
    sick = run_cascade([120], parameters=patient.parameters, start=patient.start).end
    there = run_cascade([120], parameters=patient.parameters, start=sick)
    run_cascade([0, 24, 48], doses=[Dose("tocilizumab", 24, 560)])  # the engine remembers others
    infused = Dose("tocilizumab", 120, 560)
    given = run_cascade([120, 130], parameters=patient.parameters, start=sick, doses=[infused])
    assert there.values["il6_free"][0] > 5  # pg/mL, far from rest
    for name, value in there.values.items():
        assert given.values[name][0] == value[0], name


def test_what_was_changed_on_the_way_does_not_stay() -> None:
    before = simulate("cascade", [0, 100], outputs=["il6_total"]).values["il6_total"]
    changes = [Change(1, {"tocilizumab_mg_per_h": 500}), Change(2, {}, {"tumor": 3, "effector": 9})]
    simulate_in_steps("cascade", [5], start={"crp": 99}, changes=changes)
    after = simulate("cascade", [0, 100], outputs=["il6_total"]).values["il6_total"]
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    "changes",
    [[Change(-1)], [Change(math.nan)], [Change(2), Change(1)], [Change(math.inf)]],
)
def test_changes_out_of_order_are_refused(changes: list[Change]) -> None:
    with pytest.raises(InvalidInput) as refused:
        simulate_in_steps("cascade", [5], changes=changes)
    assert refused.value.field == "changes"


def test_a_change_of_an_unknown_state_or_parameter_is_refused() -> None:
    for change in (Change(1, {"charm": 1}), Change(1, {}, {"charm": 1})):
        with pytest.raises(InvalidInput):
            simulate_in_steps("cascade", [5], changes=[change])
