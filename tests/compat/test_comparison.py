"""What `make compat` accepts, and what it does not."""

from __future__ import annotations

import compat

NAMES = [f"test_{number}" for number in range(compat.FEWEST - len(compat.SKIPPED))]


def ran(**other: str) -> compat.Ran:
    outcomes = dict.fromkeys(NAMES, "passed") | dict.fromkeys(compat.SKIPPED, "skipped")
    return compat.Ran("sealed", outcomes | other, {}, 1.0)


def test_all_as_in_stock_is_expected() -> None:
    assert compat.unexpected(ran(), {}) == []


def test_a_failure_must_be_listed() -> None:
    failed = ran(test_1="failed")
    assert len(compat.unexpected(failed, {})) == 1
    assert compat.unexpected(failed, {"test_1": "because"}) == []


def test_a_listed_difference_must_show() -> None:
    (fault,) = compat.unexpected(ran(), {"test_1": "because"})
    assert fault == "sealed: test_1 passed, and was expected to be failed"
    (fault,) = compat.unexpected(ran(), {"test_gone": "because"})
    assert "there is no such test" in fault


def test_a_skipped_test_is_not_a_passed_one() -> None:
    assert len(compat.unexpected(ran(test_1="skipped"), {})) == 1


def test_tests_that_did_not_run_are_missed() -> None:
    few = compat.Ran("sealed", {"test_1": "passed"}, {}, 1.0)
    assert "only 1 of 42 tests ran" in compat.unexpected(few, {})[0]
    assert compat.unexpected(few, {}, whole=False) == []


def test_every_listed_difference_has_a_reason() -> None:
    listed = compat.expected_differences()
    assert set(listed) == set(compat.MODES)
    assert not listed["stock"]
    assert not listed["shared"]
    assert all(len(reason) > 20 for reasons in listed.values() for reason in reasons.values())
