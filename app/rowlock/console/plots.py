"""Small plots as inline SVG. Shapes stretch with the page; words and numbers stay HTML, and keep their size."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from rowlock.console import words

Unit = Literal["count", "seconds", "percent"]
_HEIGHT = 100


@dataclass(frozen=True, kw_only=True)
class Series:
    """One row of numbers; None where there is none. `kind` is the word of a state, or accent, quiet, warn."""

    name: str
    kind: str
    values: Sequence[float | None]


def sparkline(values: Sequence[float | None], label: str, kind: str = "accent") -> SafeString:
    """A line of a row's height; `label` says what it shows to who does not see it."""
    top = max((value for value in values if value is not None), default=0) or 1
    return format_html(
        '<svg class="sparkline {}" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>',
        kind,
        max(1, len(values) - 1),
        _HEIGHT,
        label,
        _area(values, top, "sparkline-area") + _line(values, top, ""),
    )


def bars(moments: Sequence[datetime], series: Sequence[Series], title: str, unit: Unit = "count") -> SafeString:
    """Stacked bars, one for each moment."""
    sums = [sum(one.values[index] or 0 for one in series) for index in range(len(moments))]
    top = nice(max(sums, default=0))
    columns = []
    for index, moment in enumerate(moments):
        below = 0.0
        parts = []
        for one in series:
            height = (one.values[index] or 0) / top * _HEIGHT
            if height:
                parts.append((one.kind, index + 0.12, _HEIGHT - below - height, 0.76, height))
            below += height
        columns.append((_tip(moment, series, index, unit), index, _HEIGHT, _rectangles(parts)))
    shapes = format_html_join(
        "",
        '<g class="column"><title>{}</title><rect class="hit" x="{}" y="0" width="1" height="{}"></rect>{}</g>',
        columns,
    )
    return _figure(moments, series, title, unit=unit, top=top, shapes=shapes)


def lines(moments: Sequence[datetime], series: Sequence[Series], title: str, unit: Unit = "count") -> SafeString:
    """Lines over time."""
    top = nice(max((value for one in series for value in one.values if value is not None), default=0))
    shapes = mark_safe("")
    if len(series) == 1:
        shapes += _area(series[0].values, top, f"area {series[0].kind}", shift=0.5)
    for one in series:
        shapes += _line(one.values, top, f"line {one.kind}", shift=0.5)
    shapes += format_html_join(
        "",
        '<g class="column"><title>{}</title><rect class="hit" x="{}" y="0" width="1" height="{}"></rect></g>',
        ((_tip(moment, series, index, unit), index, _HEIGHT) for index, moment in enumerate(moments)),
    )
    return _figure(moments, series, title, unit=unit, top=top, shapes=shapes)


def meter(value: float, most: float, label: str, kind: str = "accent") -> SafeString:
    """How much of `most` there is, as a bar."""
    share = min(1.0, value / most) if most else 0.0
    return format_html(
        '<svg class="meter {}" viewBox="0 0 100 1" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<rect class="meter-all" width="100" height="1"></rect><rect width="{}" height="1"></rect></svg>',
        kind,
        label,
        f"{share * 100:.1f}",
    )


def nice(value: float) -> float:
    """The end of an axis that shows `value`: 1, 2 or 5 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * 0.999999)


def _figure(
    moments: Sequence[datetime],
    series: Sequence[Series],
    title: str,
    *,
    unit: Unit,
    top: float,
    shapes: SafeString,
) -> SafeString:
    width = len(moments)
    spell = _SPELL[unit]
    return format_html(
        '<figure class="plot"><div class="plot-box"><svg viewBox="0 0 {} {}" preserveAspectRatio="none" role="img"'
        ' aria-label="{}"><path class="grid" d="M0 0H{}M0 {}H{}"></path>{}</svg>'
        '<span class="y top" aria-hidden="true">{}</span><span class="y middle" aria-hidden="true">{}</span></div>'
        '<div class="x" aria-hidden="true">{}</div>{}</figure>',
        max(1, width),
        _HEIGHT,
        _in_words(series, title, unit),
        width,
        _HEIGHT // 2,
        width,
        shapes,
        spell(top),
        spell(top / 2) if unit != "count" or top > 1 else "",
        format_html_join("", "<span>{}</span>", ((_of_day(moment),) for moment in _ends(moments))),
        _legend(series) if len(series) > 1 else "",
    )


def _in_words(series: Sequence[Series], title: str, unit: Unit) -> str:
    spell = _SPELL[unit]
    told = []
    for one in series:
        known = [value for value in one.values if value is not None]
        told.append(f"{one.name} {spell(known[-1])} now, {spell(max(known))} at most" if known else f"no {one.name}")
    return f"{title}: {'; '.join(told)}."


def _legend(series: Sequence[Series]) -> SafeString:
    keys = format_html_join("", '<span class="key {}">{}</span>', ((one.kind, one.name) for one in series))
    return format_html('<figcaption aria-hidden="true">{}</figcaption>', keys)


def _tip(moment: datetime, series: Sequence[Series], index: int, unit: Unit) -> str:
    spell = _SPELL[unit]
    told = [f"{one.name} {spell(value)}" for one in series if (value := one.values[index]) is not None]
    return f"{_of_day(moment)}  {', '.join(told) or 'nothing known'}"


def _rectangles(parts: Sequence[tuple[str, float, float, float, float]]) -> SafeString:
    return format_html_join(
        "",
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}"></rect>',
        ((kind, f"{x:.2f}", f"{y:.2f}", f"{width:.2f}", f"{height:.2f}") for kind, x, y, width, height in parts),
    )


def _pieces(values: Sequence[float | None], top: float, shift: float) -> list[list[tuple[float, float]]]:
    pieces: list[list[tuple[float, float]]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append((index + shift, _HEIGHT - value / top * _HEIGHT))
    # A single point between gaps would be no line.
    return [piece if len(piece) > 1 else [(piece[0][0] - 0.3, piece[0][1]), *piece] for piece in pieces if piece]


def _line(values: Sequence[float | None], top: float, kind: str, shift: float = 0.0) -> SafeString:
    path = "".join("M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in piece) for piece in _pieces(values, top, shift))
    return format_html('<path class="stroke {}" d="{}"></path>', kind, path)


def _area(values: Sequence[float | None], top: float, kind: str, shift: float = 0.0) -> SafeString:
    path = "".join(
        f"M{piece[0][0]:.2f} {_HEIGHT}L"
        + "L".join(f"{x:.2f} {y:.2f}" for x, y in piece)
        + f"L{piece[-1][0]:.2f} {_HEIGHT}Z"
        for piece in _pieces(values, top, shift)
    )
    return format_html('<path class="{}" d="{}"></path>', kind, path)


def _ends(moments: Sequence[datetime]) -> list[datetime]:
    return [] if not moments else [moments[0], moments[len(moments) // 2], moments[-1]]


def _of_day(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%H:%M}"


def _count(value: float) -> str:
    if value >= 10_000:
        return f"{value / 1000:,.0f}k"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def _seconds(value: float) -> str:
    return words.duration(timedelta(seconds=value))


def _percent(value: float) -> str:
    return f"{value:.1f}%" if 0 < value < 10 and value != int(value) else f"{value:.0f}%"


_SPELL: dict[Unit, Callable[[float], str]] = {"count": _count, "seconds": _seconds, "percent": _percent}
