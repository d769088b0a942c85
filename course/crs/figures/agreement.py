"""How often two scales give one patient the same grade, as a grid of counts and three bars."""

from dataclasses import dataclass

from crs.figures.theme import ACCENT, INK, LINE, MUTED, OUTLINE, PAPER, Picture, axis

# Pale enough that ink on it stays readable.
_DARKEST = "#8fc1d4"


@dataclass(frozen=True)
class Agreement:
    """How many patients had each pair of grades.

    Attributes
    ----------
    rows, columns : str
        Names of the two scales.
    counts : tuple of tuple of int
        ``counts[i][j]`` patients have grade i by the first scale and j by the second.
    """

    rows: str
    columns: str
    counts: tuple[tuple[int, ...], ...]

    @property
    def patients(self) -> int:
        """How many patients are counted."""
        return sum(map(sum, self.counts))

    @property
    def same(self) -> int:
        """How many have the same grade on both scales."""
        return sum(row[grade] for grade, row in enumerate(self.counts))

    @property
    def columns_higher(self) -> int:
        """How many have a higher grade on the scale in the columns."""
        return sum(sum(row[grade + 1 :]) for grade, row in enumerate(self.counts))

    @property
    def rows_higher(self) -> int:
        """How many have a higher grade on the scale in the rows."""
        return sum(sum(row[:grade]) for grade, row in enumerate(self.counts))

    def without_zero(self) -> "Agreement":
        """Return the same without the patients whom both scales call 0."""
        first, *others = self.counts
        return Agreement(self.rows, self.columns, ((0, *first[1:]), *others))


def agreement_picture(agreement: Agreement, darkest_count: int) -> Picture:
    """Draw a grid of counts with its diagonal marked, and beside it who grades higher.

    Parameters
    ----------
    agreement : Agreement
        What to draw.
    darkest_count : int
        The count that has the darkest square, so that two pictures can be compared.

    Returns
    -------
    Picture
    """
    grades = [str(grade) for grade in range(len(agreement.counts))]
    size = len(grades)
    bars = {
        f"{agreement.rows} higher": agreement.rows_higher,
        "Same grade": agreement.same,
        f"{agreement.columns} higher": agreement.columns_higher,
    }
    grid = {
        "type": "heatmap",
        "x": list(range(size)),
        "y": list(range(size)),
        "z": [list(row) for row in agreement.counts],
        "zmin": 0,
        "zmax": darkest_count,
        "colorscale": [[0, PAPER], [1, _DARKEST]],
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "text": [[str(count) if count else "" for count in row] for row in agreement.counts],
        "texttemplate": "%{text}",
        "textfont": {"size": 15, "color": INK},
        "hovertemplate": (
            f"{agreement.rows} %{{y}}, {agreement.columns} %{{x}}: %{{z}} patients<extra></extra>"
        ),
    }
    who = {
        "type": "bar",
        "orientation": "h",
        "x": list(bars.values()),
        "y": list(bars),
        "xaxis": "x2",
        "yaxis": "y2",
        "marker": {
            "color": [_DARKEST, ACCENT, _DARKEST],
            "line": {"color": [OUTLINE, ACCENT, OUTLINE], "width": 1},
        },
        "text": [f"{count}" for count in bars.values()],
        "textposition": "outside",
        "textfont": {"size": 14, "color": INK},
        "cliponaxis": False,
        "width": 0.55,
        "hovertemplate": "%{y}: %{x} patients<extra></extra>",
    }
    layout = {
        "margin": {"l": 60, "r": 50, "t": 58, "b": 20},
        "xaxis": axis(
            domain=[0, 0.44],
            title=_axis_title(f"Grade by {agreement.columns}"),
            side="top",
            range=[-0.5, size - 0.5],
            tickvals=list(range(size)),
            ticktext=grades,
            showgrid=False,
            ticks="",
            tickfont={"size": 13, "color": INK},
        ),
        "yaxis": axis(
            title=_axis_title(f"Grade by {agreement.rows}"),
            range=[size - 0.5, -0.5],
            tickvals=list(range(size)),
            ticktext=grades,
            showgrid=False,
            ticks="",
            tickfont={"size": 13, "color": INK},
        ),
        "xaxis2": axis(
            domain=[0.68, 1],
            range=[0, 62],
            showgrid=False,
            showticklabels=False,
            anchor="y2",
            showline=False,
        ),
        "yaxis2": axis(
            domain=[0.1, 0.9],
            anchor="x2",
            showgrid=False,
            ticks="",
            tickfont={"size": 13, "color": INK},
        ),
        "shapes": [
            {
                "type": "rect",
                "x0": grade - 0.48,
                "x1": grade + 0.48,
                "y0": grade - 0.48,
                "y1": grade + 0.48,
                "line": {"color": ACCENT, "width": 2},
                "fillcolor": "rgba(0,0,0,0)",
            }
            for grade in range(size)
        ]
        + [
            {
                "type": "rect",
                "x0": -0.5,
                "x1": size - 0.5,
                "y0": -0.5,
                "y1": size - 0.5,
                "line": {"color": LINE, "width": 1},
                "layer": "below",
            }
        ],
        "annotations": [
            _remark(size - 1.6, 0.5, f"{agreement.columns}<br>grades higher"),
            _remark(0.6, size - 1.5, f"{agreement.rows}<br>grades higher"),
            {
                "text": "Patients",
                "xref": "x2 domain",
                "yref": "y2 domain",
                "x": 0,
                "y": 1.08,
                "xanchor": "left",
                "showarrow": False,
                "font": {"size": 12, "color": MUTED},
            },
        ],
    }
    return Picture((grid, who), layout, _alt(agreement), height=380)


def _axis_title(text: str) -> dict[str, object]:
    return {"text": text, "standoff": 8, "font": {"size": 13, "color": INK}}


def _remark(x: float, y: float, text: str) -> dict[str, object]:
    return {
        "x": x,
        "y": y,
        "text": text,
        "showarrow": False,
        "font": {"size": 12, "color": MUTED},
    }


def _alt(agreement: Agreement) -> str:
    pairs = ", ".join(
        f"{count} with {agreement.rows} {row} and {agreement.columns} {column}"
        for row, counts in enumerate(agreement.counts)
        for column, count in enumerate(counts)
        if count
    )
    return (
        f"Grid of {agreement.patients} patients by grade on two scales: {pairs}. Beside it, bars: "
        f"{agreement.same} with the same grade, {agreement.columns_higher} higher by "
        f"{agreement.columns}, {agreement.rows_higher} higher by {agreement.rows}."
    )
