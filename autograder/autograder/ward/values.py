"""Plain data as trees of JSON: exact types out, exact types in, and nothing unpickled.

A tree is what JSON says about itself (null, true, numbers, text), or a list whose first item is a
tag: ``["l", 1, 2]`` is the list ``[1, 2]``. The reader trusts no tree: sizes, shapes, kinds and
ranges are checked before anything is built, and what it builds has a type of the table below and
no other.
"""

import collections
import datetime
import decimal
import fractions
import importlib
import io
import keyword
import math
import pathlib
import re
import sys
import types
import zoneinfo
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Container, Iterable, Sequence
from typing import Any, cast

MAX_DEPTH = 200
MAX_ITEMS = 1_000_000
MAX_TEXT = 4 * 2**20
MAX_BYTES = 8 * 2**20
MAX_BITS = 2**20
MAX_COLUMNS = 5_000

TOO_MUCH_DATA = "far too much data"
TOO_MUCH_TEXT = "far too much text"
TOO_DEEP = "data that is nested too deeply"

# What building one costs, in items.
_ARRAY_COST = 10
_TABLE_COST = 200

_SMALL = 2**63
_MAX_FIELDS = 64
_MAX_DIMENSIONS = 32
_MAX_EXPONENT = 10_000
_UNITS = ("s", "ms", "us", "ns")
# What a defaultdict may make of a missing key, on both sides.
_FACTORIES = (bool, dict, float, int, list, set, str, tuple)
# Results of these libraries are tuples and dicts with attributes.
_WITH_ATTRIBUTES = ("scipy", "sklearn")
_DTYPE = re.compile(
    r"[<>|=](?:b1|[iu][1248]|f(?:2|4|8|12|16)|c(?:8|16|24|32)|S\d{1,7}|U\d{1,7}"
    r"|[mM]8(?:\[\d{0,6}(?:Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?)"
)
_ZONE = re.compile(r"[A-Za-z0-9_+\-]{1,32}(?:/[A-Za-z0-9_+\-]{1,32}){0,3}")
_FREQUENCY = re.compile(r"[0-9]{0,6}[A-Za-z]{1,4}(?:-[A-Z]{3})?")

Refer = Callable[[object], list[Any]]
# Kinds of data whose subclasses stay what they are: no method of theirs changes what they hold.
VALUES = (int, float, complex, str, bytes, tuple)
Resolve = Callable[[list[Any]], object]


class CannotCross(Exception):
    """A value that is no plain data; the message is a phrase that says what it is."""


class BadTree(Exception):
    """A tree that stands for no value."""


def encode(
    value: object,
    refer: Refer | None = None,
    *,
    max_items: int = MAX_ITEMS,
    belongs: Refer | None = None,
) -> Any:
    """Write a value as a tree.

    A subclass of a built-in type is read with the base's own methods: nothing that its author
    wrote is asked what it is worth.

    Parameters
    ----------
    value : object
        What is to cross.
    refer : callable, optional
        Called with each object that is no plain data. What it returns, a list of JSON, stands for
        the object, and the reader's ``resolve`` gets it.
    max_items : int
        How many items the value may hold.
    belongs : callable, optional
        Called with each instance of a class that derives from one of `VALUES`. What it returns, if
        anything, goes with the value, and the reader's ``resolve`` gets both.

    Returns
    -------
    object
        A tree of JSON.

    Raises
    ------
    CannotCross
        For what is too large, nested too deeply, or neither plain data nor referred to.
    """
    try:
        return _Writer(refer, max_items, belongs).write(value, 0)
    except CannotCross:
        raise
    except RecursionError:
        raise CannotCross(TOO_DEEP) from None
    except Exception:
        raise CannotCross("unusual data") from None


def decode(tree: object, resolve: Resolve | None = None, kept: Container[str] | None = None) -> Any:
    """Rebuild the value that a tree stands for.

    Parameters
    ----------
    tree : object
        JSON from anybody.
    resolve : callable, optional
        Called with what ``refer`` gave, as it arrived; returns what stands for the object here.
    kept : container of str, optional
        Names of NumPy's types of numbers with fewer than 64 bits, such as ``"float32"``, that
        arrive as they are, or ``"dtype"`` for all. Others arrive with 64 bits: what is compared
        with a narrow number is rounded or cut to its width first. None for all as they are.

    Returns
    -------
    object
        A value of exactly the built-in, standard library, NumPy or pandas types that `encode`
        writes; named tuples are of a class made here from their names alone.

    Raises
    ------
    BadTree
        For anything that `encode` does not write, and for what would cost too much to build.
    """
    try:
        return _Reader(resolve, kept).read(tree, 0)
    except BadTree:
        raise
    except RecursionError:
        raise BadTree(TOO_DEEP) from None
    except Exception as error:
        raise BadTree(f"no value: {type(error).__name__}") from None


def is_method_of_data(name: str) -> bool:
    """Tell whether a kind of data has a method of this name.

    Parameters
    ----------
    name : str
        Such as ``"equals"``.

    Returns
    -------
    bool
    """
    return any(callable(getattr(kind, name, None)) for kind in _kinds_of_data())


def is_kind_of_data(kind: type) -> bool:
    """Tell whether objects of a class cross as data.

    Parameters
    ----------
    kind : type
        Of Python or a library.

    Returns
    -------
    bool
    """
    kinds = tuple(_kinds_of_data())
    # Not NumPy's other kinds of arrays, such as masked ones, which stay where they are.
    return kind in kinds or (issubclass(kind, kinds) and not kind.__module__.startswith("numpy"))


def _kinds_of_data() -> list[type]:
    kinds: list[type] = list(_KINDS)
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if numpy is not None:
        kinds += [numpy.ndarray, numpy.generic]
    if pandas is not None:
        kinds += [pandas.DataFrame, pandas.Series, pandas.Index, pandas.Timestamp, pandas.Timedelta]
        kinds += [pandas.api.extensions.ExtensionArray, pandas.Interval, pandas.Period]
    return kinds


_KINDS = (
    str, bytes, list, tuple, dict, set, frozenset, int, float, complex, range, collections.Counter,
    collections.deque, datetime.date, datetime.datetime, datetime.timedelta, decimal.Decimal,
    fractions.Fraction, pathlib.Path,
)  # fmt: skip


def _numpy() -> Any:
    return sys.modules.get("numpy") or importlib.import_module("numpy")


def _pandas() -> Any:
    return sys.modules.get("pandas") or importlib.import_module("pandas")


# Writing


class _Writer:
    """Writes one value, within one budget."""

    def __init__(self, refer: Refer | None, max_items: int, belongs: Refer | None) -> None:
        self._refer = refer
        self._belongs = belongs
        self._items = max_items
        self._text = MAX_TEXT
        self._bytes = MAX_BYTES

    def write(self, value: Any, depth: int) -> Any:
        self._items -= 1
        if self._items < 0:
            raise CannotCross(TOO_MUCH_DATA)
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is float:
            return value if math.isfinite(value) else ["f", str(value)]
        if kind is int:
            return value if -_SMALL <= value < _SMALL else self._long(value)
        if kind is str:
            return self._string(value)
        if depth > MAX_DEPTH:
            raise CannotCross(TOO_DEEP)
        writer = _WRITERS.get(kind) or _writer_for(kind)
        if writer is not None:
            tree = writer(self, value, depth + 1)
            if self._belongs is None or kind in VALUES or not issubclass(kind, VALUES):
                return tree
            more = self._belongs(value)
            return ["ref", "own", tree, *more] if more else tree
        if self._refer is None:
            raise CannotCross("a class" if isinstance(value, type) else "an object of a class")
        return ["ref", *self._refer(value)]

    def _long(self, value: int) -> list[Any]:
        if value.bit_length() > MAX_BITS:
            raise CannotCross(TOO_MUCH_DATA)
        return ["i", f"{value:x}"]

    def _string(self, value: str) -> str:
        self._text -= len(value)
        if self._text < 0:
            raise CannotCross(TOO_MUCH_TEXT)
        return value

    def base64(self, data: bytes | bytearray | memoryview) -> str:
        self._bytes -= len(data)
        if self._bytes < 0:
            raise CannotCross(TOO_MUCH_DATA)
        return b2a_base64(data, newline=False).decode("ascii")

    def all(self, tag: str, values: Iterable[Any], depth: int) -> list[Any]:
        write = self.write
        return [tag, *[write(item, depth) for item in values]]

    def pairs(self, tag: str, pairs: Iterable[tuple[Any, Any]], depth: int) -> list[Any]:
        tree: list[Any] = [tag]
        for key, item in pairs:
            tree.append(self.write(key, depth))
            tree.append(self.write(item, depth))
        return tree

    # The standard library

    def put_complex(self, value: complex, depth: int) -> list[Any]:
        return ["c", self.write(value.real, depth), self.write(value.imag, depth)]

    def put_bytes(self, value: bytes, depth: int) -> list[Any]:
        return ["b", self.base64(value)]

    def put_bytearray(self, value: bytearray, depth: int) -> list[Any]:
        return ["ba", self.base64(bytes(value))]

    def put_list(self, value: list[Any], depth: int) -> list[Any]:
        return self.all("l", list.__iter__(value), depth)

    def put_tuple(self, value: tuple[Any, ...], depth: int) -> list[Any]:
        return self.all("t", tuple.__iter__(value), depth)

    def put_set(self, value: set[Any], depth: int) -> list[Any]:
        return self.all("s", set.__iter__(value), depth)

    def put_frozenset(self, value: frozenset[Any], depth: int) -> list[Any]:
        return self.all("fs", frozenset.__iter__(value), depth)

    def put_dict(self, value: dict[Any, Any], depth: int) -> list[Any]:
        return self.pairs("d", dict.items(value), depth)

    def put_view(self, value: Any, depth: int) -> list[Any]:
        return self.pairs("d", dict(value).items(), depth)

    def put_ordered_dict(self, value: dict[Any, Any], depth: int) -> list[Any]:
        return self.pairs("od", collections.OrderedDict.items(cast(Any, value)), depth)

    def put_counter(self, value: dict[Any, Any], depth: int) -> list[Any]:
        return self.pairs("counter", dict.items(value), depth)

    def put_default_dict(self, value: Any, depth: int) -> list[Any]:
        factory = value.default_factory
        name = next((kind.__name__ for kind in _FACTORIES if kind is factory), None)
        return ["dd", name, *self.pairs("", dict.items(value), depth)[1:]]

    def put_attributes(self, value: dict[Any, Any], depth: int) -> list[Any]:
        return self.pairs("bunch", dict.items(value), depth)

    def put_chain(self, value: Any, depth: int) -> list[Any]:
        return self.all("chain", map(dict, value.maps), depth)

    def put_deque(self, value: collections.deque[Any], depth: int) -> list[Any]:
        longest = value.maxlen
        return self.all("deque", [longest, *value], depth)

    def put_keys(self, value: Any, depth: int) -> list[Any]:
        return self.all("keys", value, depth)

    def put_values(self, value: Any, depth: int) -> list[Any]:
        return self.all("values", value, depth)

    def put_items(self, value: Any, depth: int) -> list[Any]:
        return self.pairs("items", value, depth)

    def put_text_file(self, value: io.StringIO, depth: int) -> list[Any]:
        return ["stringio", self._string(value.getvalue()), value.tell()]

    def put_range(self, value: range, depth: int) -> list[Any]:
        return self.all("range", (value.start, value.stop, value.step), depth)

    def put_slice(self, value: slice, depth: int) -> list[Any]:
        return self.all("slice", (value.start, value.stop, value.step), depth)

    def put_ellipsis(self, value: object, depth: int) -> list[Any]:
        return ["..."]

    def put_date(self, value: datetime.date, depth: int) -> list[Any]:
        return ["date", value.year, value.month, value.day]

    def put_time(self, value: datetime.time, depth: int) -> list[Any]:
        return ["time", *_clock(value), self._zone(value, depth)]

    def put_datetime(self, value: datetime.datetime, depth: int) -> list[Any]:
        day = (value.year, value.month, value.day)
        return ["datetime", *day, *_clock(value), self._zone(value, depth)]

    def put_timedelta(self, value: datetime.timedelta, depth: int) -> list[Any]:
        return ["delta", value.days, value.seconds, value.microseconds]

    def _zone(self, value: datetime.time | datetime.datetime, depth: int) -> Any:
        zone = value.tzinfo
        if zone is None or type(zone) is datetime.timezone:
            return self.write(zone, depth)
        if type(zone) is zoneinfo.ZoneInfo and zone.key is not None:
            return self.write(zone, depth)
        # Another zone stands for its offset at that moment.
        offset = value.utcoffset()
        if type(offset) is not datetime.timedelta:
            raise CannotCross("a time with an unusual time zone")
        return self.write(datetime.timezone(offset), depth)

    def put_timezone(self, value: datetime.timezone, depth: int) -> list[Any]:
        # The offset and perhaps a name, as it was made.
        offset, *name = value.__getinitargs__()  # type: ignore[attr-defined]
        return ["offset", offset.days, offset.seconds, offset.microseconds, *name]

    def put_zone_info(self, value: zoneinfo.ZoneInfo, depth: int) -> list[Any]:
        if value.key is None or not _ZONE.fullmatch(value.key):
            raise CannotCross("an unusual time zone")
        return ["zone", value.key]

    def put_decimal(self, value: decimal.Decimal, depth: int) -> list[Any]:
        text = str(value)
        if not _is_modest(value) or len(text) > _MAX_EXPONENT:
            raise CannotCross(TOO_MUCH_DATA)
        return ["decimal", text]

    def put_fraction(self, value: fractions.Fraction, depth: int) -> list[Any]:
        return [
            "fraction",
            self.write(value.numerator, depth),
            self.write(value.denominator, depth),
        ]

    def put_path(self, value: pathlib.PurePath, depth: int) -> list[Any]:
        return ["path", "pure" if type(value) is pathlib.PurePosixPath else "", str(value)]

    # NumPy

    def put_scalar(self, value: Any, depth: int) -> list[Any]:
        # An empty text has no bytes, though NumPy gives it some.
        data = value.tobytes() if value.dtype.itemsize else b""
        return ["n", _dtype_text(value.dtype), self.base64(data)]

    def put_dtype(self, value: Any, depth: int) -> list[Any]:
        return ["dtype", "|O" if value.str == "|O" else _dtype_text(value)]

    def put_array(self, value: Any, depth: int) -> list[Any]:
        self._items -= _ARRAY_COST
        shape = list(value.shape)
        if value.dtype.hasobject:
            if value.dtype.kind != "O":
                raise CannotCross("an array of an unusual kind")
            return ["ao", shape, *self.all("", value.ravel().tolist(), depth)[1:]]
        if value.nbytes > self._bytes:
            raise CannotCross(TOO_MUCH_DATA)
        return ["a", _dtype_text(value.dtype), shape, self.base64(value.tobytes())]

    # pandas

    def put_timestamp(self, value: Any, depth: int) -> list[Any]:
        number = value.asm8
        unit = _numpy().datetime_data(number.dtype)[0]
        zone = None if value.tzinfo is None else self._zone(value, depth)
        return ["ts", int(number.view("i8")), unit, zone]

    def put_duration(self, value: Any, depth: int) -> list[Any]:
        number = value.asm8
        return ["td", int(number.view("i8")), _numpy().datetime_data(number.dtype)[0]]

    def put_missing(self, value: Any, depth: int) -> list[Any]:
        return ["missing", "NA" if value is _pandas().NA else "NaT"]

    def put_period(self, value: Any, depth: int) -> list[Any]:
        return ["period", value.freqstr, int(value.ordinal)]

    def put_interval(self, value: Any, depth: int) -> list[Any]:
        ends = self.all("interval", (value.left, value.right), depth)
        return [*ends, value.closed]

    def put_index(self, value: Any, depth: int) -> list[Any]:
        frequency = getattr(value, "freqstr", None)
        if type(frequency) is not str:
            frequency = None
        return ["index", self.write(value.name, depth), self._column(value, depth), frequency]

    def put_range_index(self, value: Any, depth: int) -> list[Any]:
        return ["ri", self.write(value.name, depth), value.start, value.stop, value.step]

    def put_multi_index(self, value: Any, depth: int) -> list[Any]:
        self._items -= _TABLE_COST
        return [
            "mi",
            self.all("l", value.names, depth),
            [self.write(level, depth) for level in value.levels],
            [self.write(_numpy().asarray(codes), depth) for codes in value.codes],
        ]

    def put_series(self, value: Any, depth: int) -> list[Any]:
        return [
            "series",
            self.write(value.name, depth),
            self.write(value.index, depth),
            self._column(value, depth),
            self._notes(value, depth),
        ]

    def put_frame(self, value: Any, depth: int) -> list[Any]:
        if value.shape[1] > MAX_COLUMNS:
            raise CannotCross(TOO_MUCH_DATA)
        columns = [value.iloc[:, at] for at in range(value.shape[1])]
        return [
            "df",
            self.write(value.columns, depth),
            self.write(value.index, depth),
            [self._column(column, depth) for column in columns],
            self._notes(value, depth),
        ]

    def _notes(self, value: Any, depth: int) -> Any:
        """Write what is attached to a table, such as its label, where it is plain data."""
        if not value.attrs:
            return None
        try:
            return self.write(value.attrs, depth)
        except CannotCross:
            return None

    def put_categorical(self, value: Any, depth: int) -> list[Any]:
        return [
            "cat",
            self.write(_numpy().asarray(value.codes), depth),
            self.write(value.categories, depth),
            bool(value.ordered),
        ]

    def put_extension(self, value: Any, depth: int) -> list[Any]:
        return ["xa", self._column(_pandas().Series(value), depth)]

    def put_extension_dtype(self, value: Any, depth: int) -> list[Any]:
        # As a column without rows has it.
        return ["xdtype", self._column(_pandas().Series([], dtype=value), depth)]

    def _column(self, holder: Any, depth: int) -> Any:
        """Write what a Series or an Index holds."""
        self._items -= _TABLE_COST
        pandas, numpy = _pandas(), _numpy()
        dtype = holder.dtype
        if isinstance(dtype, numpy.dtype):
            return self.put_array(holder.to_numpy(), depth)
        value = holder.array
        if isinstance(dtype, pandas.DatetimeTZDtype):
            zone = self._column_zone(dtype.tz, depth)
            return ["dtz", dtype.unit, zone, self.put_array(numpy.asarray(value.view("i8")), depth)]
        if isinstance(dtype, pandas.CategoricalDtype):
            return self.put_categorical(value, depth)
        if isinstance(dtype, pandas.StringDtype):
            missing = "NA" if dtype.na_value is pandas.NA else "nan"
            items = value.astype(object)
            absent = value.isna()
            texts = [None if gone else text for text, gone in zip(items, absent, strict=True)]
            return ["strs", missing, *self.all("", texts, depth)[1:]]
        if isinstance(dtype, pandas.PeriodDtype):
            return ["periods", value.freqstr, self.put_array(numpy.asarray(value.asi8), depth)]
        if isinstance(dtype, pandas.IntervalDtype):
            ends = [self.put_index(value.left, depth), self.put_index(value.right, depth)]
            return ["intervals", *ends, value.closed]
        absent = numpy.asarray(value.isna())
        if type(value) in (
            pandas.arrays.IntegerArray,
            pandas.arrays.FloatingArray,
            pandas.arrays.BooleanArray,
        ):
            base = dtype.numpy_dtype
            data = value.to_numpy(dtype=base, na_value=base.type(0))
            return ["masked", self.put_array(data, depth), self.put_array(absent, depth)]
        raise CannotCross("a table of an unusual kind")

    def _column_zone(self, zone: Any, depth: int) -> Any:
        if type(zone) in (datetime.timezone, zoneinfo.ZoneInfo):
            return self.write(zone, depth)
        raise CannotCross("a table with an unusual time zone")


_Write = Callable[[_Writer, Any, int], Any]

_WRITERS: dict[type, _Write] = {
    complex: _Writer.put_complex,
    bytes: _Writer.put_bytes,
    bytearray: _Writer.put_bytearray,
    list: _Writer.put_list,
    tuple: _Writer.put_tuple,
    set: _Writer.put_set,
    frozenset: _Writer.put_frozenset,
    dict: _Writer.put_dict,
    collections.OrderedDict: _Writer.put_ordered_dict,
    collections.Counter: _Writer.put_counter,
    collections.defaultdict: _Writer.put_default_dict,
    collections.ChainMap: _Writer.put_chain,
    collections.deque: _Writer.put_deque,
    type({}.keys()): _Writer.put_keys,
    type({}.values()): _Writer.put_values,
    type({}.items()): _Writer.put_items,
    types.MappingProxyType: _Writer.put_view,
    range: _Writer.put_range,
    slice: _Writer.put_slice,
    type(...): _Writer.put_ellipsis,
    datetime.date: _Writer.put_date,
    datetime.time: _Writer.put_time,
    datetime.datetime: _Writer.put_datetime,
    datetime.timedelta: _Writer.put_timedelta,
    datetime.timezone: _Writer.put_timezone,
    zoneinfo.ZoneInfo: _Writer.put_zone_info,
    decimal.Decimal: _Writer.put_decimal,
    fractions.Fraction: _Writer.put_fraction,
    io.StringIO: _Writer.put_text_file,
    pathlib.PosixPath: _Writer.put_path,
    pathlib.PurePosixPath: _Writer.put_path,
}

# A subclass of these is read as its base, by the base's own methods.
_BASES: tuple[tuple[type, _Write], ...] = (
    (int, lambda writer, value, depth: writer.write(int.__add__(value, 0), depth)),
    (float, lambda writer, value, depth: writer.write(float.__add__(value, 0.0), depth)),
    (complex, lambda writer, value, depth: writer.write(complex.__add__(value, 0j), depth)),
    (str, lambda writer, value, depth: writer.write(str.__str__(value), depth)),
    (
        bytes,
        lambda writer, value, depth: writer.write(bytes.__getitem__(value, slice(None)), depth),
    ),
    (list, _Writer.put_list),
    (tuple, _Writer.put_tuple),
    (set, _Writer.put_set),
    (frozenset, _Writer.put_frozenset),
    (dict, _Writer.put_dict),
)


def _writer_for(kind: type) -> _Write | None:
    """Find how to write a type that is not of the standard library, or a subclass."""
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        if kind is numpy.ndarray:
            return _Writer.put_array
        if issubclass(kind, numpy.generic) and _is_numpys(kind, numpy):
            return _Writer.put_scalar
        if issubclass(kind, numpy.dtype):
            return _Writer.put_dtype
    pandas = sys.modules.get("pandas")
    module = type.__getattribute__(kind, "__module__")
    if pandas is not None and type(module) is str and module.startswith("pandas"):
        writer = _pandas_writer(pandas, kind)
        if writer is not None:
            return writer
    if type(module) is str and module.partition(".")[0] in _WITH_ATTRIBUTES:
        if issubclass(kind, dict):
            return _Writer.put_attributes
        if issubclass(kind, tuple) and _are_fields(getattr(kind, "_fields", None)):
            return _write_tuple_with_attributes
    if issubclass(kind, tuple) and _is_named_tuple(kind):
        return _write_named_tuple
    return next((write for base, write in _BASES if issubclass(kind, base)), None)


def _is_numpys(kind: type, numpy: Any) -> bool:
    module = type.__getattribute__(kind, "__module__")
    return module == "numpy" and vars(numpy).get(type.__getattribute__(kind, "__name__")) is kind


def _pandas_writer(pandas: Any, kind: type) -> _Write | None:
    if kind is pandas.DataFrame:
        return _Writer.put_frame
    if kind is pandas.Series:
        return _Writer.put_series
    if kind is pandas.MultiIndex:
        return _Writer.put_multi_index
    if kind is pandas.RangeIndex:
        return _Writer.put_range_index
    if issubclass(kind, pandas.Index):
        return _Writer.put_index
    if kind is pandas.Timestamp:
        return _Writer.put_timestamp
    if kind is pandas.Timedelta:
        return _Writer.put_duration
    if kind in (type(pandas.NaT), type(pandas.NA)):
        return _Writer.put_missing
    if kind is pandas.Period:
        return _Writer.put_period
    if kind is pandas.Interval:
        return _Writer.put_interval
    if kind is pandas.Categorical:
        return _Writer.put_categorical
    if issubclass(kind, pandas.api.extensions.ExtensionArray):
        return _Writer.put_extension
    if issubclass(kind, pandas.api.extensions.ExtensionDtype):
        return _Writer.put_extension_dtype
    return None


def _is_named_tuple(kind: type) -> bool:
    names = type.__getattribute__(kind, "__dict__").get("_fields")
    return _are_fields(names) and tuple in kind.__bases__


def _are_fields(names: object) -> bool:
    return (
        type(names) is tuple
        and len(names) <= _MAX_FIELDS
        and all(type(name) is str and _is_field(name) for name in names)
        and len(set(names)) == len(names)
    )


def _is_field(name: str) -> bool:
    return (
        len(name) <= 64
        and name.isidentifier()
        and not name.startswith("_")
        and not keyword.iskeyword(name)
    )


def _write_named_tuple(writer: _Writer, value: Any, depth: int) -> Any:
    kind = type(value)
    name = type.__getattribute__(kind, "__name__")
    names = list(type.__getattribute__(kind, "__dict__")["_fields"])
    if tuple.__len__(value) != len(names) or not _is_field(name):
        return writer.put_tuple(value, depth)
    return ["nt", name, names, len(names), *writer.all("", tuple.__iter__(value), depth)[1:]]


def _write_tuple_with_attributes(writer: _Writer, value: Any, depth: int) -> Any:
    """Write a result of SciPy's: a named tuple that has more attributes than items."""
    kind = type(value)
    names, more = list(kind._fields), getattr(kind, "_extra_fields", ())
    items = list(tuple.__iter__(value))
    if len(items) != len(names) or not _are_fields((*names, *more)):
        return writer.put_tuple(value, depth)
    items += [getattr(value, name) for name in more]
    return ["nt", kind.__name__, [*names, *more], len(names), *writer.all("", items, depth)[1:]]


def _clock(value: datetime.time | datetime.datetime) -> tuple[int, ...]:
    return (value.hour, value.minute, value.second, value.microsecond, value.fold)


def _is_modest(value: decimal.Decimal) -> bool:
    """Whether the number can be worked with: no exponent in the billions."""
    return not value.is_finite() or abs(value.adjusted()) <= _MAX_EXPONENT


def _dtype_text(dtype: Any) -> str:
    text: str = dtype.str
    if dtype.names is not None or dtype.subdtype is not None or not _DTYPE.fullmatch(text):
        raise CannotCross("an array of an unusual kind")
    return text


# Reading


class _Reader:
    """Reads one tree, within one budget."""

    def __init__(self, resolve: Resolve | None, kept: Container[str] | None) -> None:
        self._resolve = resolve
        self._kept = kept
        self._items = MAX_ITEMS
        self._classes = 16

    def read(self, tree: Any, depth: int) -> Any:
        kind = type(tree)
        if kind is not list:
            if kind in (str, bool) or tree is None:
                return tree
            if kind is int and -_SMALL <= tree < _SMALL:
                return tree
            if kind is float and math.isfinite(tree):
                return tree
            raise BadTree("no tree")
        if depth > MAX_DEPTH:
            raise BadTree(TOO_DEEP)
        if not tree or type(tree[0]) is not str:
            raise BadTree("a list without a tag")
        reader = _READERS.get(tree[0])
        if reader is None:
            raise BadTree("an unknown tag")
        self.spend(len(tree))
        return reader(self, tree, depth + 1)

    def spend(self, items: int) -> None:
        self._items -= items
        if self._items < 0:
            raise BadTree(TOO_MUCH_DATA)

    def all(self, trees: Sequence[Any], depth: int) -> list[Any]:
        read = self.read
        return [read(tree, depth) for tree in trees]

    # The standard library

    def get_long(self, tree: list[Any], depth: int) -> int:
        _, digits = tree
        if type(digits) is not str or not re.fullmatch(r"-?[0-9a-f]{1,262144}", digits):
            raise BadTree("no number")
        return int(digits, 16)

    def get_float(self, tree: list[Any], depth: int) -> float:
        return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[_text(tree[1])]

    def get_complex(self, tree: list[Any], depth: int) -> complex:
        real, imaginary = self.all(tree[1:], depth)
        if type(real) is not float or type(imaginary) is not float:
            raise BadTree("no complex number")
        return complex(real, imaginary)

    def get_bytes(self, tree: list[Any], depth: int) -> bytes:
        return _bytes(tree[1])

    def get_bytearray(self, tree: list[Any], depth: int) -> bytearray:
        return bytearray(_bytes(tree[1]))

    def get_list(self, tree: list[Any], depth: int) -> list[Any]:
        return self.all(tree[1:], depth)

    def get_tuple(self, tree: list[Any], depth: int) -> tuple[Any, ...]:
        return tuple(self.all(tree[1:], depth))

    def get_set(self, tree: list[Any], depth: int) -> set[Any]:
        items = self._distinct(self.all(tree[1:], depth))
        result = set(items)
        _demand(len(result) == len(items), "a set with an item twice")
        return result

    def get_frozenset(self, tree: list[Any], depth: int) -> frozenset[Any]:
        return frozenset(self.get_set(tree, depth))

    def get_dict(self, tree: list[Any], depth: int) -> dict[Any, Any]:
        _demand(len(tree) % 2 == 1, "a key without a value")
        keys = self._distinct(self.all(tree[1::2], depth))
        result = dict(zip(keys, self.all(tree[2::2], depth), strict=True))
        _demand(len(result) == len(keys), "a dict with a key twice")
        return result

    def _distinct(self, keys: list[Any]) -> list[Any]:
        """Refuse keys made to collide, which would take forever to put into one dict."""
        if len(keys) > 1000:
            hashes = len(set(map(hash, keys)))
            _demand(len(keys) - hashes <= 1000, "keys that collide")
        return keys

    def get_ordered_dict(self, tree: list[Any], depth: int) -> Any:
        return collections.OrderedDict(self.get_dict(tree, depth))

    def get_counter(self, tree: list[Any], depth: int) -> Any:
        return collections.Counter(self.get_dict(tree, depth))

    def get_default_dict(self, tree: list[Any], depth: int) -> Any:
        _demand(len(tree) >= 2 and (tree[1] is None or type(tree[1]) is str), "no defaultdict")
        factory = next((kind for kind in _FACTORIES if kind.__name__ == tree[1]), None)
        return collections.defaultdict(factory, self.get_dict(tree[1:], depth))

    def get_attributes(self, tree: list[Any], depth: int) -> Any:
        result = WithAttributes(self.get_dict(tree, depth))
        self._demand_no_methods(result.items())
        return result

    def _demand_no_methods(self, pairs: Iterable[tuple[Any, Any]]) -> None:
        """See that what the reader judges does not answer in place of a table's own method."""
        forged = self._kept is not None and any(
            callable(value) and type(name) is str and is_method_of_data(name)
            for name, value in pairs
        )
        _demand(not forged, "a method of data's name")

    def get_text_file(self, tree: list[Any], depth: int) -> io.StringIO:
        _, text, position = tree
        _demand(_is_count(position) and position <= len(_text(text)), "no position")
        file = io.StringIO(text)
        file.seek(position)
        return file

    def get_chain(self, tree: list[Any], depth: int) -> Any:
        maps = self.all(tree[1:], depth)
        _demand(all(type(item) is dict for item in maps), "no chain")
        return collections.ChainMap(*maps)

    def get_deque(self, tree: list[Any], depth: int) -> Any:
        longest = tree[1]
        _demand(longest is None or _is_count(longest), "no length")
        return collections.deque(self.all(tree[2:], depth), longest)

    def get_keys(self, tree: list[Any], depth: int) -> Any:
        items = self._distinct(self.all(tree[1:], depth))
        result = dict.fromkeys(items)
        _demand(len(result) == len(items), "a dict with a key twice")
        return result.keys()

    def get_values(self, tree: list[Any], depth: int) -> Any:
        return dict(enumerate(self.all(tree[1:], depth))).values()

    def get_items(self, tree: list[Any], depth: int) -> Any:
        return self.get_dict(tree, depth).items()

    def get_named_tuple(self, tree: list[Any], depth: int) -> Any:
        name, names, count = tree[1:4]
        _demand(type(names) is list and _are_fields(tuple(names)), "no fields")
        _demand(_is_field(_text(name)) and len(names) == len(tree) - 4, "no named tuple")
        _demand(_is_count(count) and count <= len(names), "no named tuple")
        values = self.all(tree[4:], depth)
        self._demand_no_methods(zip(names, values, strict=True))
        kind = self._class(name, tuple(names[:count]), has_more=count < len(names))
        result = kind._make(values[:count])
        # Its further attributes are no items.
        if count < len(names):
            vars(result).update(zip(names[count:], values[count:], strict=True))
        return result

    def _class(self, name: str, names: tuple[str, ...], *, has_more: bool) -> Any:
        self.spend(1)
        key = (name, names, has_more)
        made = _named_tuples.get(key)
        if made is None:
            self._classes -= 1
            _demand(self._classes >= 0, "too many named tuples")
            if len(_named_tuples) >= 256:
                _named_tuples.clear()
            made = _named_tuples[key] = collections.namedtuple(name, names)
            if has_more:
                made = _named_tuples[key] = type(name, (made,), {})
        return made

    def get_range(self, tree: list[Any], depth: int) -> range:
        return range(*self._integers(tree[1:], depth, 3))

    def get_slice(self, tree: list[Any], depth: int) -> slice:
        start, stop, step = self.all(tree[1:], depth)
        return slice(start, stop, step)

    def _integers(self, trees: Sequence[Any], depth: int, count: int) -> list[int]:
        numbers = self.all(trees, depth)
        _demand(len(numbers) == count and all(type(item) is int for item in numbers), "no numbers")
        return numbers

    def get_ellipsis(self, tree: list[Any], depth: int) -> Any:
        return ...

    def get_date(self, tree: list[Any], depth: int) -> datetime.date:
        return datetime.date(*self._integers(tree[1:], depth, 3))

    def get_time(self, tree: list[Any], depth: int) -> datetime.time:
        hour, minute, second, micro, fold = self._integers(tree[1:-1], depth, 5)
        zone = self._zone(tree[-1], depth)
        return datetime.time(hour, minute, second, micro, tzinfo=zone, fold=fold)

    def get_datetime(self, tree: list[Any], depth: int) -> datetime.datetime:
        year, month, day, *clock = self._integers(tree[1:-1], depth, 8)
        hour, minute, second, micro, fold = clock
        zone = self._zone(tree[-1], depth)
        return datetime.datetime(
            year, month, day, hour, minute, second, micro, tzinfo=zone, fold=fold
        )

    def get_timedelta(self, tree: list[Any], depth: int) -> datetime.timedelta:
        return datetime.timedelta(*self._integers(tree[1:], depth, 3))

    def _zone(self, tree: Any, depth: int) -> Any:
        zone = self.read(tree, depth)
        _demand(zone is None or type(zone) in (datetime.timezone, zoneinfo.ZoneInfo), "no zone")
        return zone

    def get_timezone(self, tree: list[Any], depth: int) -> datetime.timezone:
        offset = datetime.timedelta(*self._integers(tree[1:4], depth, 3))
        if len(tree) == 5:
            return datetime.timezone(offset, _text(tree[4]))
        _demand(len(tree) == 4, "no zone")
        return datetime.timezone(offset) if offset else datetime.UTC

    def get_zone_info(self, tree: list[Any], depth: int) -> zoneinfo.ZoneInfo:
        _demand(_ZONE.fullmatch(_text(tree[1])) is not None, "no zone")
        self.spend(_TABLE_COST)
        return zoneinfo.ZoneInfo(tree[1])

    def get_decimal(self, tree: list[Any], depth: int) -> decimal.Decimal:
        _demand(len(_text(tree[1])) <= _MAX_EXPONENT, "no decimal number")
        number = decimal.Decimal(tree[1])
        _demand(_is_modest(number), "no decimal number")
        return number

    def get_fraction(self, tree: list[Any], depth: int) -> fractions.Fraction:
        above, below = self._integers(tree[1:], depth, 2)
        self.spend((above.bit_length() + below.bit_length()) // 16)
        return fractions.Fraction(above, below)

    def get_path(self, tree: list[Any], depth: int) -> pathlib.PurePath:
        pure, text = tree[1:]
        kind = {"pure": pathlib.PurePosixPath, "": pathlib.PosixPath}[_text(pure)]
        return kind(_text(text))

    def get_reference(self, tree: list[Any], depth: int) -> object:
        if self._resolve is None:
            raise BadTree("a reference to nothing")
        if tree[1:2] == ["own"] and len(tree) > 2:
            # Data with a class: read within the same budget.
            return self._resolve(["own", self.read(tree[2], depth), *tree[3:]])
        return self._resolve(tree[1:])

    # NumPy

    def get_scalar(self, tree: list[Any], depth: int) -> Any:
        _, dtype, data = tree
        self.spend(_ARRAY_COST)
        number = self._widened(self._filled(dtype, [], data), "fciu")
        # Not far from the end of the range a difference would come out on its other side.
        is_extreme = self._kept is not None and number.dtype.kind in "iu" and _is_extreme(number)
        return number.item() if is_extreme else number[()]

    def get_dtype(self, tree: list[Any], depth: int) -> Any:
        _, text = tree
        _demand(text == "|O" or _DTYPE.fullmatch(_text(text)) is not None, "no dtype")
        self.spend(_ARRAY_COST)
        return _numpy().dtype(text)

    def get_array(self, tree: list[Any], depth: int) -> Any:
        array = self._plain_array(tree)
        if array.dtype.kind in "iu":
            array = self._widened(array, "iu")
            if self._kept is not None and _is_extreme(array):
                return array.astype(object)
        return array

    def get_column(self, tree: list[Any], depth: int) -> Any:
        return self._plain_array(tree)

    def _plain_array(self, tree: list[Any]) -> Any:
        _, dtype, shape, data = tree
        self.spend(_ARRAY_COST)
        array = self._filled(dtype, shape, data)
        return self._widened(array, "fc") if array.dtype.itemsize == 2 else array

    def _widened(self, array: Any, kinds: str) -> Any:
        """Give numbers of few bits 64, unless the reader keeps their type."""
        kind = array.dtype
        if self._kept is None or kind.kind not in kinds or kind.name in self._kept:
            return array
        if "dtype" in self._kept or "dtypes" in self._kept:
            return array
        if kind.kind == "u":
            return array if _is_extreme(array) else array.astype("i8")
        wide = _numpy().dtype({"f": "f8", "c": "c16", "i": "i8"}[kind.kind])
        return array.astype(wide) if kind.itemsize < wide.itemsize else array

    def _filled(self, dtype: object, shape: object, data: object) -> Any:
        numpy = _numpy()
        _demand(type(dtype) is str and _DTYPE.fullmatch(dtype) is not None, "no dtype")
        kind = numpy.dtype(dtype)
        # A bytearray: the array may be written to.
        raw = bytearray(_bytes(data))
        count = _size(shape)
        _demand(kind.itemsize > 0 or not raw, "no array")
        _demand(count * kind.itemsize == len(raw), "an array of another size")
        if kind.itemsize == 0 or not raw:
            _demand(count <= MAX_ITEMS, TOO_MUCH_DATA)
            return numpy.zeros(shape, kind)
        array = numpy.frombuffer(raw, kind)
        if kind.kind == "b":
            _demand(int(array.view("u1").max()) <= 1, "no truth value")
        if kind.kind == "U":
            points = array.view(kind.str[0] + "u4")
            _demand(int(points.max()) <= 0x10FFFF, "no text")
        return array.reshape(shape)

    def get_objects(self, tree: list[Any], depth: int) -> Any:
        _, shape, *items = tree
        self.spend(_ARRAY_COST)
        _demand(_size(shape) == len(items), "an array of another size")
        values = self.all(items, depth)
        return _numpy().fromiter(values, dtype=object, count=len(values)).reshape(shape)

    def _of(self, tree: Any, depth: int, kinds: str) -> Any:
        """Read a one-dimensional array of numbers of a kind."""
        _demand(type(tree) is list and tree[:1] == ["a"], "no array")
        array = self._plain_array(tree)
        _demand(array.ndim == 1 and array.dtype.kind in kinds, "no such array")
        return array

    # pandas

    def get_timestamp(self, tree: list[Any], depth: int) -> Any:
        moment = _pandas().Timestamp(_numpy().datetime64(*self._number(tree)))
        zone = self._zone(tree[3], depth)
        return moment if zone is None else moment.tz_localize("UTC").tz_convert(zone)

    def get_duration(self, tree: list[Any], depth: int) -> Any:
        return _pandas().Timedelta(_numpy().timedelta64(*self._number(tree)))

    def _number(self, tree: list[Any]) -> tuple[int, str]:
        number, unit = tree[1:3]
        self.spend(_ARRAY_COST)
        _demand(type(number) is int and number > -_SMALL and unit in _UNITS, "no time")
        return number, unit

    def get_missing(self, tree: list[Any], depth: int) -> Any:
        pandas = _pandas()
        return {"NA": pandas.NA, "NaT": pandas.NaT}[_text(tree[1])]

    def get_period(self, tree: list[Any], depth: int) -> Any:
        _, frequency, ordinal = tree
        self.spend(_ARRAY_COST)
        _demand(_FREQUENCY.fullmatch(_text(frequency)) is not None, "no frequency")
        _demand(type(ordinal) is int, "no period")
        return _pandas().Period(ordinal=ordinal, freq=frequency)

    def get_interval(self, tree: list[Any], depth: int) -> Any:
        *ends, closed = tree[1:]
        left, right = self.all(ends, depth)
        _demand(not isinstance(left, list | str), "no interval")
        return _pandas().Interval(left, right, _text(closed))

    def get_index(self, tree: list[Any], depth: int) -> Any:
        _, name, column, frequency = tree
        name, values = self._name(name, depth), self._column(column, depth)
        dtype = object if getattr(values.dtype, "kind", "") == "O" else None
        if isinstance(values, _numpy().ndarray):
            result = _pandas().Index(values, dtype=dtype, name=name)
        else:
            result = _pandas().Index(values, name=name)
        if frequency is not None and len(result) <= 100_000:
            _demand(_FREQUENCY.fullmatch(_text(frequency)) is not None, "no frequency")
            if getattr(result, "freqstr", "") is None:
                result.freq = frequency
        return result

    def get_range_index(self, tree: list[Any], depth: int) -> Any:
        _, name, *ends = tree
        self.spend(_TABLE_COST)
        start, stop, step = self._integers(ends, depth, 3)
        return _pandas().RangeIndex(start, stop, step, name=self._name(name, depth))

    def get_multi_index(self, tree: list[Any], depth: int) -> Any:
        _, names, levels, codes = tree
        _demand(type(levels) is type(codes) is list and 0 < len(levels) <= 100, "no levels")
        self.spend(_TABLE_COST * len(levels))
        names = self.read(names, depth)
        return _pandas().MultiIndex(
            levels=[self._index(level, depth) for level in levels],
            codes=[self._of(code, depth, "i") for code in codes],
            names=names,
        )

    def _name(self, tree: Any, depth: int) -> Any:
        name = self.read(tree, depth)
        hash(name)
        return name

    def _index(self, tree: Any, depth: int) -> Any:
        _demand(type(tree) is list and tree[:1] in (["index"], ["ri"], ["mi"]), "no index")
        return self.read(tree, depth)

    def get_series(self, tree: list[Any], depth: int) -> Any:
        _, name, index, column, notes = tree
        values = self._series(column, self._index(index, depth), depth)
        values.name = self._name(name, depth)
        return self._noted(values, notes, depth)

    def _series(self, column: Any, index: Any, depth: int) -> Any:
        values = self._column(column, depth)
        _demand(len(values) == len(index), "a column of another length")
        return _pandas().Series(values, index=index, dtype=values.dtype, copy=False)

    def get_frame(self, tree: list[Any], depth: int) -> Any:
        _, names, index, columns, notes = tree
        _demand(type(columns) is list and len(columns) <= MAX_COLUMNS, "no columns")
        names, index = self._index(names, depth), self._index(index, depth)
        _demand(len(names) == len(columns), "columns without a name")
        values = [self._series(column, index, depth) for column in columns]
        table = _pandas().DataFrame(dict(enumerate(values)), index=index)
        table.columns = names
        return self._noted(table, notes, depth)

    def _noted(self, table: Any, notes: Any, depth: int) -> Any:
        if notes is not None:
            table.attrs = self.read(notes, depth)
        return table

    def get_categorical(self, tree: list[Any], depth: int) -> Any:
        _, codes, categories, ordered = tree
        self.spend(_TABLE_COST)
        _demand(type(ordered) is bool, "no categories")
        return _pandas().Categorical.from_codes(
            self._of(codes, depth, "i"), self._index(categories, depth), ordered=ordered
        )

    def get_extension(self, tree: list[Any], depth: int) -> Any:
        _, column = tree
        return _pandas().Series(self._column(column, depth)).array

    def get_extension_dtype(self, tree: list[Any], depth: int) -> Any:
        return self.get_extension(tree, depth).dtype

    def _column(self, tree: Any, depth: int) -> Any:
        """Read the values of an index or a column: a NumPy or pandas array of one dimension."""
        _demand(type(tree) is list and tree and tree[0] in _COLUMNS, "no column")
        if self._kept is not None:
            _give_arrays_a_truth()
        self.spend(_TABLE_COST + len(tree))
        values = _COLUMNS[tree[0]](self, tree, depth + 1)
        _demand(values.ndim == 1, "no column")
        return values

    def get_zoned(self, tree: list[Any], depth: int) -> Any:
        _, unit, zone, numbers = tree
        _demand(unit in _UNITS, "no unit")
        moments = self._of(numbers, depth, "i")
        _demand(moments.dtype.itemsize == 8, "no moments")
        pandas = _pandas()
        kind = pandas.DatetimeTZDtype(unit, self._zone(zone, depth))
        return pandas.DatetimeIndex(moments.view(f"M8[{unit}]"), tz="UTC").tz_convert(kind.tz).array

    def get_strings(self, tree: list[Any], depth: int) -> Any:
        _, missing, *texts = tree
        _demand(all(text is None or type(text) is str for text in texts), "no text")
        pandas = _pandas()
        dtype = {
            "nan": pandas.StringDtype(na_value=math.nan),
            "NA": pandas.StringDtype(),
        }[_text(missing)]
        return pandas.array(texts, dtype=dtype)

    def get_periods(self, tree: list[Any], depth: int) -> Any:
        _, frequency, numbers = tree
        _demand(_FREQUENCY.fullmatch(_text(frequency)) is not None, "no frequency")
        ordinals = self._of(numbers, depth, "i")
        return _pandas().PeriodIndex.from_ordinals(ordinals, freq=frequency).array

    def get_intervals(self, tree: list[Any], depth: int) -> Any:
        _, left, right, closed = tree
        ends = self._index(left, depth), self._index(right, depth)
        return _pandas().arrays.IntervalArray.from_arrays(*ends, closed=_text(closed))

    def get_masked(self, tree: list[Any], depth: int) -> Any:
        _, data, absent = tree
        arrays = _pandas().arrays
        values = self._of(data, depth, "biuf")
        kind = {"b": arrays.BooleanArray, "f": arrays.FloatingArray}.get(
            values.dtype.kind, arrays.IntegerArray
        )
        return kind(values, self._of(absent, depth, "b"))


def named_tuple(name: object, names: object) -> type:
    """Make a named tuple's class of names that somebody gave.

    Parameters
    ----------
    name : object
        Of the class.
    names : object
        Of its items: a list of text.

    Returns
    -------
    type

    Raises
    ------
    BadTree
        If they are no names.
    """
    _demand(type(names) is list and _are_fields(tuple(cast(Any, names))), "no fields")
    _demand(_is_field(_text(name)), "no named tuple")
    return collections.namedtuple(cast(str, name), cast(Any, names))


class WithAttributes(dict[Any, Any]):
    """A dict whose items are attributes, too, as SciPy and scikit-learn give their results."""

    def __getattr__(self, name: str) -> Any:
        # Not those by which libraries ask each other, some of which hand out memory.
        if name.startswith("_") or name not in self:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return self[name]


_named_tuples: dict[tuple[str, tuple[str, ...], bool], Any] = {}

_Read = Callable[[_Reader, list[Any], int], Any]

_COLUMNS: dict[str, _Read] = {
    "a": _Reader.get_column,
    "ao": _Reader.get_objects,
    "cat": _Reader.get_categorical,
    "dtz": _Reader.get_zoned,
    "intervals": _Reader.get_intervals,
    "masked": _Reader.get_masked,
    "periods": _Reader.get_periods,
    "strs": _Reader.get_strings,
}

_READERS: dict[str, _Read] = {
    "...": _Reader.get_ellipsis,
    "a": _Reader.get_array,
    "ao": _Reader.get_objects,
    "b": _Reader.get_bytes,
    "ba": _Reader.get_bytearray,
    "bunch": _Reader.get_attributes,
    "c": _Reader.get_complex,
    "cat": _Reader.get_categorical,
    "chain": _Reader.get_chain,
    "counter": _Reader.get_counter,
    "d": _Reader.get_dict,
    "date": _Reader.get_date,
    "datetime": _Reader.get_datetime,
    "dd": _Reader.get_default_dict,
    "decimal": _Reader.get_decimal,
    "delta": _Reader.get_timedelta,
    "deque": _Reader.get_deque,
    "df": _Reader.get_frame,
    "dtype": _Reader.get_dtype,
    "f": _Reader.get_float,
    "fraction": _Reader.get_fraction,
    "fs": _Reader.get_frozenset,
    "i": _Reader.get_long,
    "index": _Reader.get_index,
    "interval": _Reader.get_interval,
    "items": _Reader.get_items,
    "keys": _Reader.get_keys,
    "l": _Reader.get_list,
    "mi": _Reader.get_multi_index,
    "missing": _Reader.get_missing,
    "n": _Reader.get_scalar,
    "nt": _Reader.get_named_tuple,
    "od": _Reader.get_ordered_dict,
    "offset": _Reader.get_timezone,
    "path": _Reader.get_path,
    "period": _Reader.get_period,
    "range": _Reader.get_range,
    "ref": _Reader.get_reference,
    "ri": _Reader.get_range_index,
    "s": _Reader.get_set,
    "series": _Reader.get_series,
    "slice": _Reader.get_slice,
    "stringio": _Reader.get_text_file,
    "t": _Reader.get_tuple,
    "td": _Reader.get_duration,
    "time": _Reader.get_time,
    "ts": _Reader.get_timestamp,
    "values": _Reader.get_values,
    "xa": _Reader.get_extension,
    "xdtype": _Reader.get_extension_dtype,
    "zone": _Reader.get_zone_info,
}


def _demand(holds: object, otherwise: str) -> None:
    if not holds:
        raise BadTree(otherwise)


def _text(tree: object) -> str:
    if type(tree) is not str:
        raise BadTree("no text")
    return tree


def _bytes(tree: object) -> bytes:
    return a2b_base64(_text(tree).encode("ascii"), strict_mode=True)


def _give_arrays_a_truth() -> None:
    """Let pandas' own arrays be true as NumPy's are: by their one item, and otherwise not at all.

    By themselves they are true when they have items, and so would be ``array == 5`` in an assert.
    """
    arrays: Any = _pandas().api.extensions.ExtensionArray
    if "__bool__" not in vars(arrays):
        arrays.__bool__ = _truth_of_one


def _truth_of_one(array: Any) -> bool:
    if len(array) != 1:
        raise ValueError("The truth value of an array is ambiguous. Use a.any() or a.all()")
    return bool(array[0])


def _is_extreme(numbers: Any) -> bool:
    """Whether an integer is so large that a difference could leave 64 bits."""
    if not numbers.size:
        return False
    return int(numbers.max()) >= _SMALL // 2 or int(numbers.min()) < -_SMALL // 2


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**40


def _size(shape: object) -> int:
    """Count the items of an array of this shape, in integers that cannot overflow."""
    _demand(type(shape) is list and len(shape) <= _MAX_DIMENSIONS, "no shape")
    count = 1
    for length in shape:  # type: ignore[attr-defined]  # a list
        _demand(_is_count(length), "no shape")
        count *= length
    return count
