"""Values as trees: exact types come back, and no tree of a stranger does harm."""

from __future__ import annotations

import collections
import contextlib
import datetime
import enum
import io
import json
import math
import pathlib
import random
import time
import tracemalloc
import zoneinfo
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import scipy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.ward import values
from autograder.ward.values import BadTree, CannotCross, decode, encode


def over(value: object) -> Any:
    """Send a value across: as JSON text, as it would go."""
    return decode(json.loads(json.dumps(encode(value), allow_nan=False, ensure_ascii=False)))


def alike(one: Any, other: Any) -> bool:
    """Whether two values are the same to the bit, in type and in content."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return bool(one.hex() == other.hex())
    if isinstance(one, complex):
        return alike(one.real, other.real) and alike(one.imag, other.imag)
    if isinstance(one, np.ndarray):
        same = bool(one.dtype == other.dtype and one.shape == other.shape)
        if one.dtype == object:
            return same and all(map(alike, one.ravel().tolist(), other.ravel().tolist()))
        return same and bool(one.tobytes() == other.tobytes())
    if isinstance(one, np.generic):
        return bool(one.dtype == other.dtype and one.tobytes() == other.tobytes())
    if isinstance(one, dict):
        return len(one) == len(other) and all(map(alike, items(one), items(other)))
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, set | frozenset):
        return len(one) == len(other) and all(any(alike(a, b) for b in other) for a in one)
    if isinstance(one, datetime.datetime | datetime.time):
        return bool(one == other and one.tzinfo == other.tzinfo and one.fold == other.fold)
    return bool(one == other)


def items(mapping: dict[Any, Any]) -> list[Any]:
    return [part for pair in mapping.items() for part in pair]


_TEXT = st.text(st.characters(exclude_categories=()), max_size=8)
_OFFSETS = st.timedeltas(datetime.timedelta(hours=-23), datetime.timedelta(hours=23))
_ZONES = (
    st.none()
    | st.just(datetime.UTC)
    | st.builds(datetime.timezone, _OFFSETS)
    | st.builds(
        datetime.timezone,
        _OFFSETS,
        _TEXT,
    )
    | st.sampled_from([zoneinfo.ZoneInfo("Europe/Berlin"), zoneinfo.ZoneInfo("America/New_York")])
)  # fmt: skip
_HASHABLE = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**2000), 2**2000)
    | st.floats()
    | st.complex_numbers()
    | _TEXT
    | st.binary(max_size=8)
    | st.dates()
    | st.timedeltas()
    | st.builds(
        lambda moment, zone, fold: moment.replace(tzinfo=zone, fold=fold),
        st.datetimes(),
        _ZONES,
        st.integers(0, 1),
    )
    | st.builds(lambda clock, zone: clock.replace(tzinfo=zone), st.times(), _ZONES)
    | st.builds(Fraction, st.integers(), st.integers(1))
    | st.decimals(allow_nan=False)
    | st.builds(range, st.integers(), st.integers(), st.integers(1))
    | hnp.arrays(hnp.scalar_dtypes(), ()).map(lambda array: array[()])
)
_PLAIN = st.recursive(
    _HASHABLE,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.sets(st.integers() | _TEXT, max_size=4)
        | st.frozensets(st.integers() | _TEXT, max_size=4)
        | st.dictionaries(st.integers() | _TEXT | st.booleans(), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(_PLAIN)
@settings(max_examples=300, deadline=None)
def test_plain_data_comes_back_to_the_bit(value: object) -> None:
    assert alike(over(value), value)


@pytest.mark.parametrize(
    "value",
    [
        -0.0,
        math.nan,
        math.inf,
        -math.inf,
        5e-324,
        1e16,
        complex(-0.0, math.nan),
        2**63,
        -(2**63) - 1,
        10**5000,
        -(2 ** (values.MAX_BITS - 1)),
        "\ud800",
        "\ud83d\ude00",
        "a\x00b",
        bytearray(b"ab"),
        slice(1, None, 2),
        ...,
        [],
        (),
        {},
        set(),
        frozenset(),
        {(1, "a"): [None, {2}]},
        collections.OrderedDict(b=1, a=2),
        collections.Counter("aab"),
        collections.deque([1, 2], 5),
        Decimal("1.50"),
        Decimal("-0"),
        Decimal("Infinity"),
        pathlib.PurePosixPath("a/b"),
        pathlib.Path("a/b"),
        datetime.datetime(2024, 10, 27, 2, 30, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"), fold=1),
        pd.NA,
        pd.Timestamp("2024-02-29 12:00:00.123456789"),
        pd.Timestamp("2024-10-27 03:30", tz="Europe/Berlin"),
        pd.Timestamp("1500-01-01").as_unit("s"),
        pd.Timedelta("1 days 00:00:00.000000001"),
        pd.Period("2024-03", freq="M"),
        pd.Interval(0, 1.5, closed="both"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_special_values_come_back(value: object) -> None:
    got = over(value)
    assert got is value or alike(got, value)


def test_missing_moments_and_units() -> None:
    assert over(pd.NaT) is pd.NaT
    for unit in ("s", "ms", "us", "ns"):
        assert over(pd.Timestamp("2024-01-01").as_unit(unit)).unit == unit
        assert over(pd.Timedelta(days=1).as_unit(unit)).unit == unit
    later = over(pd.Timestamp("2024-10-27 00:30", tz="UTC").tz_convert("Europe/Berlin"))
    assert later.isoformat() == "2024-10-27T02:30:00+02:00"
    for view in ({1: 2}.keys(), {1: 2}.items()):
        assert over(view) == view
        assert type(over(view)) is type(view)
    assert list(over({1: 2}.values())) == [2]
    chain = collections.ChainMap({"a": 1}, {"a": 2, "b": 3})
    assert over(chain) == chain
    assert over(chain)["a"] == 1
    counts = over(collections.defaultdict(list, a=[1]))
    assert counts == {"a": [1]}
    assert counts["b"] == []
    with pytest.raises(KeyError):
        over(collections.defaultdict(lambda: [5], a=[1]))["b"]


@pytest.mark.parametrize(
    "kind", ["float32", "<i8", "O", "datetime64[ns]", "U3", "category", "string", "Int64", "UTC"]
)
def test_types_of_data(kind: str) -> None:
    zoned = pd.DatetimeTZDtype("ns", "UTC")
    dtype = zoned if kind == "UTC" else pd.Series([], dtype=kind).dtype
    assert over(dtype) == dtype
    assert over([pd.Series([dtype])])[0].iloc[0] == dtype


def test_results_of_scipy_keep_their_attributes() -> None:
    test = scipy.stats.ttest_ind([1.0, 2.0, 3.0], [2.0, 3.0, 5.0])
    result = over(test)
    assert (result.statistic, result.pvalue, result.df) == (test.statistic, test.pvalue, test.df)
    assert tuple(result) == tuple(test)
    least = scipy.optimize.minimize(lambda x: (x - 2) ** 2, 0.0)
    found = over({name: least[name] for name in ("x", "success")} | {"of": 1})
    assert found["success"] is True
    whole = decode(encode(least, refer=lambda value: ["later"]), lambda payload: None)
    assert abs(whole.x[0] - 2) < 1e-3
    assert whole.success
    with pytest.raises(AttributeError):
        _ = whole.missing
    with pytest.raises(AttributeError):
        _ = decode(["bunch", "__array_interface__", 1]).__array_interface__


def test_a_result_cannot_answer_in_place_of_a_method_of_data() -> None:
    for tree in (["bunch", "equals", ["ref"]], ["nt", "T", ["a", "equals"], 1, 1, ["ref"]]):
        decode(tree, lambda payload: print)
        with pytest.raises(BadTree):
            decode(tree, lambda payload: print, ())


def test_a_text_file_keeps_its_place() -> None:
    file = io.StringIO("one\ntwo\n")
    file.readline()
    again = over(file)
    assert again.read() == "two\n"
    assert again.getvalue() == "one\ntwo\n"
    with pytest.raises(BadTree):
        decode(["stringio", "a", 10**9])


# NumPy

_DTYPES = st.one_of(
    hnp.scalar_dtypes(),
    hnp.unicode_string_dtypes(max_len=4),
    hnp.byte_string_dtypes(max_len=4),
)


@given(_DTYPES.flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0))))
@settings(max_examples=200, deadline=None)
def test_arrays_come_back_to_the_bit(array: Any) -> None:
    array = np.asarray(array)
    assert alike(over(array), array)
    assert alike(over(array.T), np.ascontiguousarray(array.T).reshape(array.T.shape))
    assert over(array).flags.writeable
    for item in array.ravel()[:3]:
        assert alike(over(item), item)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(24).reshape(2, 3, 4)[::-1, ::2, 1:],
        np.asfortranarray(np.eye(3)),
        np.broadcast_to(np.float32(1.5), (2, 3)),
        np.array([1.5, None, "x", [1, 2], {"a": 1}], dtype=object),
        np.empty((0, 3), dtype=object),
        np.array(["a\ud800", "b"]),
        np.array(["2024-01-01", "NaT"], "M8[D]"),
        np.array([1, 2], "m8[25s]"),
        np.array([], "U0"),
        np.zeros(3, "S0"),
        np.array([math.nan, -0.0, math.inf]),
        np.array([1, 2], ">i4"),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_special_arrays_come_back(array: Any) -> None:
    got = over(array)
    assert got.dtype == array.dtype
    assert got.shape == array.shape
    assert alike(got.tolist(), array.tolist())


@pytest.mark.parametrize(
    "value",
    [
        np.zeros(2, [("a", int), ("b", float)]),
        np.zeros(2, [("a", int)])[0],
        np.zeros(2, "V3"),
        np.array(["a"], np.dtypes.StringDType()),
        len,
        object(),
        int,
        [lambda: 1],
        {"a": iter([])},
        math,
        2**values.MAX_BITS,
        "x" * (values.MAX_TEXT + 1),
        ["x" * values.MAX_TEXT, "x"],
        np.zeros(values.MAX_BYTES // 8 + 1),
        [0] * values.MAX_ITEMS,
        Decimal("1e999999"),
        np.ma.masked_array([1, 2], [True, False]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_cross_is_refused(value: object) -> None:
    with pytest.raises(CannotCross):
        encode(value)


def test_what_holds_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    twice: dict[str, Any] = {}
    twice["a"] = twice["b"] = [twice, twice]
    for value in (endless, twice):
        with pytest.raises(CannotCross, match="nested too deeply"):
            encode(value)


# pandas

_PAIRS = pd.MultiIndex.from_tuples([("x", 1), ("y", 2)], names=["p", "q"])
_STAMPS = pd.DatetimeIndex(["2024-01-01", "2024-01-03", "NaT"])
_COLUMNS: dict[str, Any] = {
    "ints": [1, 2, 3],
    "floats": [1.5, math.nan, -0.0],
    "bools": [True, False, True],
    "texts": ["a", None, "c"],
    "objects": pd.Series([1, "a", None], dtype=object),
    "object texts": pd.Series(["a", "b", "c"], dtype=object),
    "string": pd.array(["a", None, "c"], dtype="string"),
    "Int64": pd.array([1, None, 3], dtype="Int64"),
    "UInt8": pd.array([1, None, 3], dtype="UInt8"),
    "Float32": pd.array([1.5, None, 3], dtype="Float32"),
    "boolean": pd.array([True, None, False], dtype="boolean"),
    "category": pd.Categorical(["b", "a", None], categories=["b", "a"], ordered=True),
    "moments": _STAMPS,
    "zoned": _STAMPS.tz_localize("Europe/Berlin"),
    "seconds": _STAMPS.as_unit("s").tz_localize("UTC"),
    "durations": pd.to_timedelta(["1D", None, "2h"]),
    "periods": pd.PeriodIndex(["2024-01", "2024-02", None], freq="M"),
    "intervals": pd.IntervalIndex.from_breaks([0, 1, 2, 3]),
    "int8": np.array([1, 2, 3], "i1"),
    "complex": np.array([1j, 2, 3]),
}


@pytest.mark.parametrize("name", _COLUMNS)
def test_columns_of_every_kind_come_back(name: str) -> None:
    series = pd.Series(_COLUMNS[name], index=["x", "y", "z"], name=name)
    pd.testing.assert_series_equal(over(series), series, check_exact=True)
    index = pd.Index(_COLUMNS[name], name=("a", 1))
    pd.testing.assert_index_equal(over(index), index, exact=True)
    assert over(index).dtype == index.dtype


def test_tables_come_back() -> None:
    table = pd.DataFrame(_COLUMNS)
    got = over(table)
    pd.testing.assert_frame_equal(got, table, check_exact=True, check_freq=True)
    assert [str(dtype) for dtype in got.dtypes] == [str(dtype) for dtype in table.dtypes]


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame(),
        pd.DataFrame(index=[3, 4]),
        pd.DataFrame(columns=["a", "b"]),
        pd.DataFrame([[1, 2.5], [3, 4]], columns=["a", "a"]),
        pd.DataFrame({1: [1], "b": [2], None: [3]}),
        pd.DataFrame(np.eye(2), index=pd.date_range("2024-01-01", periods=2, freq="D")),
        pd.DataFrame({"a": [1, 2]}, index=_PAIRS),
        pd.DataFrame({"a": [1, 1, 2], "b": [3, 4, 5]}).groupby("a").agg(["sum", "mean"]),
        pd.DataFrame({"a": ["x", "y"]}, index=pd.RangeIndex(4, 0, -2, name="r")),
        pd.Series([], dtype=float),
        pd.Series([1, 2], index=pd.CategoricalIndex(["a", "b"])),
    ],
    ids=range(11),
)  # fmt: skip
def test_tables_of_many_shapes_come_back(table: Any) -> None:
    check: Any = (
        pd.testing.assert_frame_equal
        if isinstance(table, pd.DataFrame)
        else pd.testing.assert_series_equal
    )
    check(over(table), table, check_exact=True, check_index_type="exact")


def test_the_label_of_a_table_goes_with_it() -> None:
    table = pd.DataFrame({"a": [1]})
    table.attrs["label"] = "grades"
    assert over(table).attrs == {"label": "grades"}
    table.attrs["check"] = len
    assert over(table).attrs == {}


def test_a_table_that_came_may_be_changed() -> None:
    table = over(pd.DataFrame({"a": [1, 2]}))
    table.loc[0, "a"] = 5
    table["b"] = table["a"] * 2
    assert table["b"].tolist() == [10, 4]


# Subclasses


class Always(float):
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __add__(self, other: object) -> Any:
        raise AssertionError

    def hex(self) -> str:
        raise AssertionError


class Lying(list[Any]):
    def __iter__(self) -> Iterator[Any]:
        raise AssertionError

    def __len__(self) -> int:
        return 10**9


class Spoken(str):
    def __str__(self) -> str:
        raise AssertionError


class Worth(enum.IntEnum):
    ONE = 1


class Point(NamedTuple):
    x: float
    y: float = 0


class Odd(np.ndarray):
    pass


def test_subclasses_are_read_as_their_base() -> None:
    assert alike(over(Always(1.5)), 1.5)
    assert alike(over(Lying([1, Worth.ONE])), [1, 1])
    assert alike(over(Spoken("a")), "a")
    with pytest.raises(CannotCross):
        encode(np.zeros(2).view(Odd))


def test_named_tuples_keep_their_names() -> None:
    got = over([Point(1, 2.5), Point(3)])
    assert got == [(1, 2.5), (3, 0)]
    assert got[0].y == 2.5
    assert type(got[0]) is type(got[1])
    assert type(got[0]).__name__ == "Point"
    assert type(got[0]) is not Point


def test_what_is_no_data_is_referred_to() -> None:
    things: list[object] = []

    def refer(thing: object) -> list[Any]:
        things.append(thing)
        return [len(things) - 1]

    tree = encode([1, len, {"a": Point}], refer)
    assert decode(tree, lambda payload: things[payload[0]]) == [1, len, {"a": Point}]
    with pytest.raises(BadTree):
        decode(tree)


# Trees of strangers


def bombs() -> dict[str, Any]:
    deep: Any = 1
    for _ in range(900):
        deep = ["l", deep]
    nothing = ["a", "<f8", [0], ""]
    none = ["ri", None, 0, 0, 1]
    one = ["ri", None, 0, 1, 1]
    wide = ["ri", None, 0, 10**5, 1]
    empty = ["index", None, nothing, None]
    colliding = [["i", f"{at * (2**61 - 1):x}"] for at in range(50_000)]
    return {
        "shape": ["a", "<f8", [10**9, 10**9], ""],
        "shape overflow": ["a", "<f8", [2**32, 2**32], ""],
        "negative shape": ["a", "<f8", [-1, -8], "AAAAAAAAAAA="],
        "shape of bools": ["a", "|b1", [True], "AQ=="],
        "empty strings": ["a", "<U0", [10**9], ""],
        "wide strings": ["a", "<U9999999", [0], ""],
        "wide nothing": ["a", "<U9999999", [10**6, 0], ""],
        "dimensions": ["a", "<f8", [1] * 33, "AAAAAAAAAAA="],
        "truth of two": ["a", "|b1", [1], "Ag=="],
        "no code point": ["a", "<U1", [1], "////fw=="],
        "no dtype": ["a", "O", [1], "AAAAAAAAAAA="],
        "object dtype": ["a", "|O8", [1], "AAAAAAAAAAA="],
        "void": ["a", "|V8", [1], "AAAAAAAAAAA="],
        "fields": ["a", "i4,f8", [0], ""],
        "subarray": ["a", "(1000000,)f8", [0], ""],
        "datetime unit": ["a", "<M8[99999999s]", [0], ""],
        "no base64": ["b", "A*=="],
        "deep": deep,
        "many": ["l", *[0] * (values.MAX_ITEMS + 1)],
        "one item": ["l", ["l", *[0] * (values.MAX_ITEMS - 9)]],
        "keys twice": ["d", 1, "a", 1.0, "b"],
        "items twice": ["s", 0, False],
        "odd pairs": ["d", 1],
        "unhashable key": ["d", ["l"], 1],
        "unhashable item": ["s", ["d"]],
        "collisions": ["s", *colliding],
        "colliding keys": ["d", *[key for at in colliding for key in (at, 0)]],
        "long number": ["i", "f" * 300_000],
        "signed number": ["i", "+f"],
        "spaced number": ["i", " f"],
        "wide number": 2**64,
        "decimal": ["decimal", "1e999999999"],
        "fraction": ["fraction", 1, 0],
        "zone path": ["zone", "../../etc/passwd"],
        "zone file": ["zone", "/etc/passwd"],
        "no zone": ["zone", "Nowhere/Land"],
        "no date": ["date", 2023, 2, 30],
        "no day": ["date", True, 1, 1],
        "big delta": ["delta", 10**12, 0, 0],
        "zone of text": ["datetime", 2024, 1, 1, 0, 0, 0, 0, 0, "UTC"],
        "codes": ["cat", ["a", "|i1", [1], "BQ=="], empty, False],
        "levels": ["mi", ["l", None], [empty], [["a", "|i1", [1], "BQ=="]]],
        "column length": ["series", None, ["ri", None, 0, 5, 1], nothing, None],
        "huge index": ["series", None, ["ri", None, 0, 10**12, 1], nothing, None],
        "frame": ["df", ["ri", None, 0, 2, 1], ["ri", None, 0, 0, 1], [nothing], None],
        "wide frame": ["df", wide, none, [nothing] * 10**5, None],
        "many tables": ["l", *[["series", None, none, nothing, None]] * 50_000],
        "column of tables": ["series", None, none, ["l"], None],
        "frequency": ["period", "D" * 40, 1],
        "named": ["nt", "__class__", ["a"], 1, 1],
        "fields twice": ["nt", "P", ["a", "a"], 2, 1, 2],
        "hidden field": ["nt", "P", ["_make"], 1, 1],
        "keyword": ["nt", "P", ["class"], 1, 1],
        "no names": ["nt", "P", "ab", 2, 1, 2],
        "more items than names": ["nt", "P", ["a"], 2, 1],
        "many classes": ["l", *[["nt", f"P{at}", ["a"], 1] for at in range(100)]],
        "unknown": ["pickle", "gASVAAAA"],
        "tag": [1, 2],
        "tag of list": [["l"]],
        "empty": [],
        "object": {"a": 1},
        "nan": math.nan,
        "infinite": math.inf,
        "reference": ["ref", 1],
        "missing": ["missing", "anything"],
        "moment": ["ts", -(2**63), "ns", None],
        "unit": ["ts", 1, "Y", None],
        "range": ["range", 0, 1, 0],
        "range of text": ["range", "a", 1, 1],
        "deque": ["deque", 10**30],
        "strings": ["series", None, one, ["strs", "nan", 5], None],
        "mask": ["series", None, none, ["masked", nothing, nothing], None],
        "two dimensions": ["series", None, one, ["a", "|i1", [1, 1], "BQ=="], None],
        "short": ["series"],
        "long": ["...", 1, 2] * 3 and ["c", 1.0, 2.0, 3.0],
    }  # fmt: skip


_ALLOWED = {"empty strings": False, "wide strings": True, "wide nothing": True, "one item": True}


@pytest.mark.parametrize("name", bombs())
def test_a_tree_of_a_stranger_is_one_clean_error(name: str) -> None:
    tree = bombs()[name]
    tracemalloc.start()
    start = time.monotonic()
    with contextlib.nullcontext() if _ALLOWED.get(name) else pytest.raises(BadTree):
        decode(tree)
    assert time.monotonic() - start < 5
    assert tracemalloc.get_traced_memory()[1] < 200 * 2**20
    tracemalloc.stop()


_EXACT = (
    type(None), bool, int, float, complex, str, bytes, bytearray, list, tuple, set, frozenset, dict,
    collections.OrderedDict, collections.Counter, collections.defaultdict, collections.deque, range,
    collections.ChainMap,
    slice, type(...), datetime.date, datetime.time, datetime.datetime, datetime.timedelta,
    datetime.timezone, zoneinfo.ZoneInfo, Decimal, Fraction, pathlib.PosixPath,
    pathlib.PurePosixPath, np.ndarray, pd.Series, pd.DataFrame, pd.Timestamp, pd.Timedelta,
    pd.Period, pd.Interval, pd.Categorical, io.StringIO, type(pd.NaT), type(pd.NA),
)  # fmt: skip


_VIEWS: tuple[type, ...] = (type({}.keys()), type({}.values()), type({}.items()))


def is_exact(value: Any) -> bool:
    kind = type(value)
    if kind in (list, tuple, set, frozenset, collections.deque):
        return all(map(is_exact, value))
    if kind in _VIEWS:
        return all(map(is_exact, list(value)))
    if issubclass(kind, dict):
        return kind in (*_EXACT, values.WithAttributes) and all(map(is_exact, items(value)))
    if kind in _EXACT or kind.__module__ == "numpy" or issubclass(kind, pd.Index):
        return True
    if issubclass(kind, np.dtype | pd.api.extensions.ExtensionDtype):
        return True
    return issubclass(kind, tuple) and kind.__module__ == "autograder.ward.values"


def seeds() -> list[Any]:
    whole = [
        [1, 2.5, "a", b"b", None, True, 2**80, 1j, math.nan],
        {"a": (1, {2, 3}), 4: frozenset({5}), None: range(3)},
        [Point(1, 2), Decimal("1.5"), Fraction(1, 3), slice(1, 2), ...],
        datetime.datetime(2024, 1, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")),
        [datetime.date(2024, 1, 1), datetime.time(1, tzinfo=datetime.UTC)],
        [datetime.timedelta(1), np.float64(1.5), np.array([[1, 2], [3, 4]])],
        [np.array(["a", None], object), np.array("ab")],
        pd.DataFrame(_COLUMNS),
        pd.DataFrame({"a": [1, 1, 2], "b": [3, 4, 5]}).groupby("a").agg(["sum", "mean"]),
        [pd.Timestamp("2024-01-01", tz="UTC"), pd.Timedelta(1), pd.Period("2024", "Y"), pd.NaT],
        pd.Series([1, 2], index=pd.date_range("2024-01-01", periods=2, freq="D")),
        [np.dtype("f8"), pd.CategoricalDtype(["a"]), io.StringIO("a")],
        collections.defaultdict(int),
    ]  # fmt: skip
    result = ["bunch", "x", 1], ["nt", "T", ["a", "b"], 1, 1, 2]
    return [*map(encode, whole), *result]


def mutated(tree: Any, rng: random.Random) -> Any:
    """Change one thing somewhere in a tree."""
    spots: list[tuple[list[Any], int]] = []

    def visit(node: Any) -> None:
        if type(node) is list:
            for at, item in enumerate(node):
                spots.append((node, at))
                visit(item)

    tree = json.loads(json.dumps(tree))
    visit(tree)
    if not spots:
        return tree  # nothing is left of it
    node, at = rng.choice(spots)
    other, place = rng.choice(spots)
    choice = rng.randrange(8)
    if choice == 0:
        node[at] = json.loads(json.dumps(other[place]))
    elif choice == 1:
        del node[at]
    elif choice == 2:
        node.insert(at, rng.choice([None, True, -1, 0, 1.5, "", "l", [], ["l"], 2**62]))
    elif choice == 3:
        node[at] = rng.choice(list(values._READERS))
    elif choice == 4:
        node[at] = [rng.choice(list(values._READERS)), *rng.choices([0, 1, "a", None, ["l"]], k=3)]
    elif choice == 5 and isinstance(node[at], str):
        node[at] = node[at][: rng.randrange(len(node[at]) + 1)]
    elif choice == 6 and type(node[at]) is int:
        node[at] = rng.choice([-1, 2**31, 2**62, node[at] + 1, -node[at]])
    else:
        node[at] = rng.choice([None, True, -1, 0, 1.5, "x", "ns", "D", "<f8", [], ["l", 1], {}])
    return tree


@pytest.mark.parametrize("seed", range(20))
def test_a_mutated_tree_is_exact_data_or_one_error(seed: int) -> None:
    rng = random.Random(seed)
    whole = seeds()
    good = 0
    for _ in range(150):
        tree = rng.choice(whole)
        for _ in range(rng.randint(1, 3)):
            tree = mutated(tree, rng)
        start = time.monotonic()
        try:
            value = decode(tree)
        except BadTree:
            continue
        finally:
            assert time.monotonic() - start < 2
        good += 1
        assert is_exact(value), value
    assert good


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=5)
        | st.sampled_from(sorted(values._READERS)),
        lambda inner: (
            st.lists(inner, max_size=6)
            | st.builds(
                lambda tag, rest: [tag, *rest],
                st.sampled_from(sorted(values._READERS)),
                st.lists(inner, max_size=5),
            )
        ),
        max_leaves=20,
    )
)
@settings(max_examples=500, deadline=None)
def test_any_tree_is_exact_data_or_one_error(tree: object) -> None:
    with contextlib.suppress(BadTree):
        assert is_exact(decode(tree))


@pytest.mark.parametrize(
    "array",
    [
        pd.Series(["a", None, "b"], dtype="string").array,
        pd.Series(["a", "b"], dtype="category").array,
        pd.array([1, None], dtype="Int64"),
        pd.Series(pd.to_datetime(["2024-01-01"], utc=True)).array,
    ],
    ids=lambda array: type(array).__name__,
)
def test_arrays_of_pandas_own_kinds(array: Any) -> None:
    returned = over(array)
    assert type(returned) is type(array)
    pd.testing.assert_extension_array_equal(returned, array)


def judged(value: object, *kept: str) -> Any:
    """Send a value to one who compares it."""
    return decode(json.loads(json.dumps(encode(value))), kept=kept)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (np.float16("inf"), np.float64),
        (np.float32(0.5), np.float64),
        (np.int8(-116), np.int64),
        (np.uint8(3), np.int64),
        (np.uint64(3), np.int64),
        (np.complex64(1), np.complex128),
        (np.int64(7), np.int64),
        (np.int64(-(2**63)), int),
        (np.uint64(2**64 - 1), int),
    ],
)
def test_a_judge_gets_numbers_that_cannot_be_cut(value: Any, kind: type) -> None:
    assert type(judged(value)) is kind
    assert judged(value) == value
    assert type(judged(value, value.dtype.name)) in (type(value), int)
    assert type(over(value)) is type(value)


def test_a_judge_gets_arrays_that_cannot_be_cut() -> None:
    assert judged(np.array([3, 4], dtype=np.uint8)).dtype == np.int64
    assert judged(np.array([0.5], dtype=np.float16)).dtype == np.float64
    assert judged(np.array([0.5], dtype=np.float32)).dtype == np.float32
    assert judged(np.array([3], dtype=np.uint8), "dtype").dtype == np.uint8
    assert judged(np.array([-(2**63)])).dtype == object
    table = pd.DataFrame({"day": pd.Series([1], dtype="int32")})
    pd.testing.assert_frame_equal(judged(table), table)


def test_a_judge_gets_no_named_tuple_that_answers_for_a_table() -> None:
    pretender = collections.namedtuple("pretender", ["equals"])
    with pytest.raises(BadTree):
        decode(encode(pretender(bool), lambda kind: ["type"]), lambda payload: bool, kept=())
    assert judged(pretender(True)).equals is True
