"""The population view: followed in pieces, stopped at any of them, and kept when done."""

from __future__ import annotations

import asyncio
import json
import queue
import time
from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_client.manager import KernelManager

from crs.explorers import PopulationView
from crs.explorers import population_view as module
from crs.figures.population import extreme_of, in_words
from crs.models.simulation import SimulationFailed
from crs.patients import populations
from crs.patients.populations import PopulationRun, PopulationSetting, follow_population, kept

SETTING = PopulationSetting("tocilizumab", "first grade 2", 0.0, 100)


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    populations._KEPT.clear()
    yield
    populations._KEPT.clear()


def view_of_100() -> PopulationView:
    explorer = PopulationView()
    explorer.controls["patients"].value = "100"
    return explorer


def traces(explorer: PopulationView) -> list[Any]:
    picture = explorer.pictures[0].picture
    assert picture is not None
    return list(picture.traces)


def press(explorer: PopulationView, what: str) -> None:
    """Send what a button in the browser sends."""
    explorer.runner._handle_custom_msg({what: True}, [])


def test_nothing_long_begins_by_itself() -> None:
    explorer = PopulationView()
    assert not explorer.running
    assert explorer.sentence.startswith("This is the patient in the middle of the population")
    assert explorer.runner.done == 0
    assert all(not trace["x"] for trace in traces(explorer)[:4])  # no bands
    assert explorer.pictures[0].alt.startswith("SYNTHETIC")


def test_without_a_loop_it_follows_all_and_says_what_was_found() -> None:
    explorer = view_of_100()
    press(explorer, "start")
    assert not explorer.running
    result = kept(SETTING)
    assert result is not None
    assert (explorer.runner.done, explorer.runner.complete) == (100, True)
    said = explorer.sentence
    peak = extreme_of("crp", result.untreated["crp"])
    assert f"rises to {in_words('crp', peak.value)} on day {peak.day:.1f}" in said
    assert f"given to {result.given} of them" in said
    assert f"{result.severe_untreated} % come to grade 3 or more without treatment" in said
    low, high, *_ = traces(explorer)
    band = result.untreated["crp"]
    assert list(low["y"]) == pytest.approx(list(band.low), rel=1e-3, abs=1e-3)
    assert list(high["y"]) == pytest.approx(list(band.high), rel=1e-3, abs=1e-3)
    assert high["fill"] == "tonexty"


def test_what_is_known_is_not_followed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    found = follow_population(SETTING)
    monkeypatch.setattr(PopulationRun, "step", lambda self: pytest.fail("followed again"))
    explorer = view_of_100()
    assert explorer.runner.complete
    assert f"given to {found.given} of them" in explorer.sentence
    explorer.start()
    explorer.controls["output"].value = "temp_c"  # another picture of the same patients
    assert "median temperature of 100 virtual patients" in explorer.sentence


def test_in_a_loop_it_lets_others_work_and_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    # However fast the machine, a turn is one patient.
    monkeypatch.setattr(module, "_WORK_S", 0.0001)

    async def scene() -> None:
        explorer = view_of_100()
        press(explorer, "start")
        assert explorer.running
        assert explorer.runner.running
        others = 0
        while not (explorer._run is not None and explorer._run.done >= 10):
            await asyncio.sleep(0)
            others += 1
            assert others < 100_000
        assert others > 1
        press(explorer, "stop")
        assert not explorer.running
        assert explorer._run is not None
        done = explorer._run.done
        assert 10 <= done < 100
        await explorer.finished()
        await asyncio.sleep(0.05)
        assert explorer._run.done == done  # nobody went on in secret
        assert f"the first {done} of 100 virtual patients" in explorer.sentence
        assert explorer.runner.words == f"Stopped after {done} of 100"
        assert kept(SETTING) is None
        press(explorer, "start")
        await explorer.finished()
        assert explorer.runner.complete
        assert kept(SETTING) is not None

    asyncio.run(scene())


def test_other_settings_stop_it_and_another_output_does_not() -> None:
    async def scene() -> None:
        explorer = view_of_100()
        explorer.start()
        await asyncio.sleep(0.01)
        run = explorer._run
        explorer.controls["output"].value = "il6_total"
        assert explorer.running
        assert explorer._run is run
        explorer.controls["treatment"].value = "siltuximab"
        assert not explorer.running
        assert explorer.sentence.startswith("This is the patient in the middle of the population")
        await explorer.finished()
        assert run is not None
        assert not run.finished
        assert kept(SETTING) is None

    asyncio.run(scene())


def test_a_run_that_was_replaced_does_not_go_on_beside_the_new_one() -> None:
    async def scene() -> None:
        explorer = view_of_100()
        explorer.start()
        first = explorer._task
        await asyncio.sleep(0.01)
        explorer.controls["treatment"].value = "anakinra"
        explorer.controls["treatment"].value = "tocilizumab"
        explorer.start()
        await explorer.finished()
        assert first is not None
        assert first.done()
        assert explorer.runner.complete
        assert explorer.runner.done == 100

    asyncio.run(scene())


def test_what_the_engine_cannot_solve_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: PopulationRun) -> None:
        raise SimulationFailed("The equations could not be solved: too stiff.")

    monkeypatch.setattr(PopulationRun, "step", fail)
    explorer = view_of_100()
    explorer.start()
    assert not explorer.running
    assert "could not be followed to its end" in explorer.sentence
    assert "too stiff." in explorer.sentence


def test_one_piece_of_work_is_short_enough_for_a_hand_on_a_slider() -> None:
    assert module._WORK_S <= 0.1


@pytest.fixture
def kernel() -> Iterator[Any]:
    manager = KernelManager()
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=120)
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run(client: Any, code: str) -> str:
    """Run a cell; return what it printed."""
    wanted = client.execute(code)
    printed = ""
    while True:
        message = client.get_iopub_msg(timeout=120)
        if message["parent_header"].get("msg_id") != wanted:
            continue
        if message["msg_type"] == "stream":
            printed += message["content"]["text"]
        elif message["msg_type"] == "error":
            pytest.fail("\n".join(message["content"]["traceback"]))
        elif message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            return printed


def test_in_a_real_kernel_a_message_from_the_page_stops_it(kernel: Any) -> None:
    run(
        kernel,
        "from crs.explorers import PopulationView\nview = PopulationView()\nview.start()",
    )
    model = run(kernel, "print(view.runner.comm.comm_id)").strip()
    # As the button in the browser does.
    message = kernel.session.msg(
        "comm_msg",
        {"comm_id": model, "data": {"method": "custom", "content": {"stop": True}}},
    )
    kernel.shell_channel.send(message)
    asked = "import json; print(json.dumps([view.running, view.runner.done, view.runner.words]))"
    running, done, words = json.loads(run(kernel, asked))
    assert not running
    assert 0 < done < 500
    assert words == f"Stopped after {done} of 500"
    # It stays stopped.
    time.sleep(0.3)
    assert json.loads(run(kernel, asked)) == [False, done, words]
    with pytest.raises(queue.Empty):
        kernel.get_iopub_msg(timeout=0.2)
