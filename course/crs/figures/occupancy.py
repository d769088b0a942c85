"""Who holds whom: IL-6, its receptors and gp130 as stacked bars, without a drug and with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crs.figures.theme import INK, MUTED, OUTLINE, SERIES, Picture, axis, held_top
from crs.models.il6 import OccupancyResult

_LEAST_PRINTED = 0.055  # a smaller piece has no room for its number
_HEIGHT = 178


@dataclass(frozen=True)
class _Piece:
    """One kind of piece of both bars."""

    name: str
    color: str
    pattern: str
    shares: tuple[float, float]  # without the drug, with it


def il6_picture(result: OccupancyResult) -> Picture:
    """Draw where the IL-6 is.

    Parameters
    ----------
    result : OccupancyResult
        What to draw.

    Returns
    -------
    Picture
    """
    both = (result.without, result.treated)

    def shares(*names: str) -> tuple[float, float]:
        without, treated = (mixture.il6_share(*names) for mixture in both)
        return without, treated

    pieces = (
        _Piece("free", SERIES[0], "", shares("il6")),
        _Piece("receptor alone", SERIES[3], ".", shares("il6_membrane", "il6_soluble")),
        _Piece("soluble receptor and gp130", OUTLINE, "x", shares("buffered")),
        _Piece("signaling", SERIES[1], "/", shares("classic", "trans")),
        _Piece("siltuximab", SERIES[2], "\\", shares("il6_siltuximab")),
    )
    return _bars(result, "Where the IL-6 is", "of all IL-6", pieces, 1.0)


def receptor_picture(result: OccupancyResult) -> Picture:
    """Draw what the IL-6 receptor carries, on cells and soluble together.

    Parameters
    ----------
    result : OccupancyResult
        What to draw.

    Returns
    -------
    Picture
    """
    free, with_il6, blocked = [], [], []
    for mixture in (result.without, result.treated):
        total = mixture.total("membrane_receptor") + mixture.total("soluble_receptor")
        free.append(
            (mixture.membrane_receptor + mixture.soluble_receptor) / total if total > 0 else 0.0
        )
        blocked.append(mixture.blocked_share)
        # The rest of a receptor that is neither free nor blocked; no difference of large numbers.
        held = (mixture.il6_membrane, mixture.il6_soluble, mixture.signal, mixture.buffered)
        with_il6.append(sum(held) / total if total > 0 else 0.0)
    pieces = (
        _Piece("nothing", SERIES[5], "", (free[0], free[1])),
        _Piece("IL-6", SERIES[1], "/", (with_il6[0], with_il6[1])),
        _Piece("tocilizumab", SERIES[2], "\\", (blocked[0], blocked[1])),
    )
    title = "What the IL-6 receptor carries, on cells and soluble"
    return _bars(result, title, "of all IL-6 receptor", pieces, 1.0)


def signal_picture(result: OccupancyResult) -> Picture:
    """Draw how much gp130 on cells signals, in both ways.

    Parameters
    ----------
    result : OccupancyResult
        What to draw.

    Returns
    -------
    Picture
    """
    total = result.without.total("gp130")
    pieces = (
        _Piece(
            "classic: receptor on the cell",
            SERIES[0],
            "",
            (result.without.classic / total, result.treated.classic / total),
        ),
        _Piece(
            "trans: soluble receptor",
            SERIES[1],
            "/",
            (result.without.trans / total, result.treated.trans / total),
        ),
    )
    top = held_top(max(result.without.gp130_share, result.treated.gp130_share, 1e-3))
    title = "Signal: gp130 on cells that holds IL-6"
    return _bars(result, title, "of gp130 on cells", pieces, top)


def drug_words(result: OccupancyResult) -> str:
    """Say which drug is compared with none, with its level.

    Parameters
    ----------
    result : OccupancyResult

    Returns
    -------
    str
    """
    return f"{result.asked.drug} {result.asked.drug_ug_ml:g} µg/mL"


def percent_words(share: float) -> str:
    """Write a share for a reader, in percent.

    Parameters
    ----------
    share : float
        1 is all.

    Returns
    -------
    str
    """
    percent = 100 * share
    if percent == 0:
        return "0 %"
    if percent < 0.01:
        return "less than 0.01 %"
    if 99 < percent < 99.95:
        return f"{percent:.1f} %"
    return f"{percent:.0f} %" if percent >= 10 else f"{percent:.2g} %"


def _bars(
    result: OccupancyResult, title: str, whole: str, pieces: Sequence[_Piece], top: float
) -> Picture:
    # The first category stands lowest.
    drug = result.asked.drug
    rows = (drug[0].upper() + drug[1:], "No drug")
    traces: tuple[Mapping[str, Any], ...] = tuple(
        {
            "type": "bar",
            "orientation": "h",
            "name": piece.name,
            "x": [100 * piece.shares[1], 100 * piece.shares[0]],
            "y": [0, 1],
            "width": 0.66,
            "marker": {
                "color": piece.color,
                "pattern": {
                    "shape": piece.pattern,
                    "fgcolor": "#ffffff",
                    "fgopacity": 0.55,
                    "size": 7,
                    "solidity": 0.18,
                    "fillmode": "overlay",
                },
                "line": {"color": "#ffffff", "width": 1},
            },
            "text": [
                percent_words(share) if share >= _LEAST_PRINTED * top else ""
                for share in (piece.shares[1], piece.shares[0])
            ],
            "textposition": "inside",
            "insidetextanchor": "middle",
            "textangle": 0,
            "constraintext": "none",
            "textfont": {"size": 13, "color": "#ffffff", "weight": 700},
            "hovertemplate": f"{piece.name}: %{{x:.3g}} % {whole}<extra></extra>",
        }
        for piece in pieces
    )
    layout = {
        "barmode": "stack",
        "margin": {"l": 172, "r": 24, "t": 62, "b": 30},
        "showlegend": True,
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1 - 27 / _HEIGHT,
            "yref": "container",  # at one place, however it wraps at first
            "xanchor": "left",
            "yanchor": "top",
            "bgcolor": "rgba(0,0,0,0)",
            "traceorder": "normal",
            "itemclick": False,
            "itemdoubleclick": False,
            "font": {"size": 12, "color": INK},
        },
        "xaxis": axis(range=[0, 100 * top], ticksuffix=" %"),
        "yaxis": axis(
            range=[-0.5, 1.5],
            tickvals=[0, 1],
            ticktext=list(rows),
            showgrid=False,
            tickfont={"size": 13, "color": INK},
        ),
        "annotations": [
            {
                "text": f"<b>{title}</b>, share {whole}",
                "xref": "paper",
                "yref": "paper",
                "x": 0,
                "y": 1,
                "yshift": 46,
                "xanchor": "left",
                "yanchor": "middle",
                "showarrow": False,
                "font": {"size": 13, "color": MUTED},
            }
        ],
    }
    return Picture(traces, layout, _alt(result, title, pieces), height=_HEIGHT)


def _alt(result: OccupancyResult, title: str, pieces: Sequence[_Piece]) -> str:
    def words(at: int) -> str:
        return ", ".join(f"{piece.name} {percent_words(piece.shares[at])}" for piece in pieces)

    return (
        f"{title}, as two stacked bars. No drug: {words(0)}. With {drug_words(result)}: {words(1)}."
    )
