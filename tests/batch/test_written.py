"""Notebooks are written byte for byte as nbformat writes them."""

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat import NotebookNode, from_dict
from nbformat.v4.nbjson import JSONWriter

from autograder.batch.written import written

_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    ["", "\n", "one\ntwo", "one\r\ntwo\x0b\x85three\u2028", '"\\/\b\f\t', "\x00\x1f\x7f", "é🙂"]
)
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from([1e22, 5e-324, -0.0, 2**200])
    | _texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
    max_leaves=12,
)
_bundles = st.dictionaries(
    st.sampled_from(["text/plain", "text/html", "image/png", "image/svg+xml", "application/json"]),
    _texts | _values,
    max_size=3,
)
_outputs = st.one_of(
    st.fixed_dictionaries(
        {"output_type": st.just("stream"), "name": st.sampled_from(["stdout"]), "text": _texts}
    ),
    st.fixed_dictionaries(
        {
            "output_type": st.sampled_from(["display_data", "execute_result"]),
            "data": _bundles,
            "metadata": st.dictionaries(_texts, _values, max_size=2),
        }
    ),
    st.fixed_dictionaries(
        {"output_type": st.just("error"), "traceback": st.lists(_texts, max_size=3)}
    ),
)
_metadata = st.dictionaries(st.sampled_from(["trusted", "nbgrader", "a"]) | _texts, _values)
_cells = st.one_of(
    st.fixed_dictionaries(
        {
            "cell_type": st.just("code"),
            "source": _texts,
            "metadata": _metadata,
            "execution_count": st.none() | st.integers(0, 99),
            "outputs": st.lists(_outputs, max_size=3),
        }
    ),
    st.fixed_dictionaries(
        {
            "cell_type": st.sampled_from(["markdown", "raw"]),
            "source": _texts,
            "metadata": _metadata,
        },
        optional={"attachments": st.dictionaries(_texts, _bundles, max_size=2)},
    ),
)


@given(cells=st.lists(_cells, max_size=4), metadata=st.dictionaries(_texts, _values, max_size=3))
@settings(max_examples=200, deadline=None)
def test_as_nbformat_writes_it(cells: list[Any], metadata: dict[str, Any]) -> None:
    nb = from_dict({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})
    expected = JSONWriter().writes(copy.deepcopy(nb))
    assert written(nb) == expected


def test_what_is_unusual_is_left_to_nbformat() -> None:
    nb = NotebookNode(
        cells=[], metadata=NotebookNode(kind=b"ascii", both=(1, 2)), nbformat=4, nbformat_minor=5
    )
    expected = JSONWriter().writes(copy.deepcopy(nb))
    assert '"ascii"' in expected
    assert written(nb) == expected
