"""What the console's templates say again and again: states, times, numbers, icons, plots."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import template
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from rowlock.console import plots, words
from rowlock.models import Run, State
from rowlock.runs.viewer import Viewer
from rowlock.statistics import Histogram
from rowlock.workers.presence import Present

register = template.Library()

#: What stands where there is no time and no number.
NOTHING = "\N{EN DASH}"


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An icon of icons.svg, which a screen reader passes over unless it has a `label`."""
    address = f"{static('rowlock/console/icons.svg')}#{name}"
    if label:
        return format_html('<svg class="icon" role="img" aria-label="{}"><use href="{}"></use></svg>', label, address)
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}"></use></svg>', address)


@register.simple_tag
def badge(what: Run | State | str) -> SafeString:
    """The state of a run, by colour, shape and word; or any of the states' words."""
    word = words.state_of(what) if isinstance(what, Run) else what.label if isinstance(what, State) else what
    return format_html('<span class="badge {}">{}{}</span>', word, icon(word), word)


@register.simple_tag
def chip(text: str, kind: str = "plain") -> SafeString:
    """A word about a thing that is no run: `kind` is good, bad, warn, accent or plain."""
    return format_html('<span class="chip {}">{}</span>', kind, text)


@register.simple_tag
def ago(moment: datetime | None, none: str = NOTHING) -> SafeString | str:
    """How long ago, or in how long, kept up to date by the page; the exact time on its title."""
    if moment is None:
        return none
    local = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}" data-ago>{}</time>',
        local.isoformat(timespec="milliseconds"),
        words.exact(moment),
        words.ago(timezone.now() - moment),
    )


@register.simple_tag
def clock(moment: datetime | None, none: str = NOTHING) -> SafeString | str:
    """The exact time."""
    if moment is None:
        return none
    local = timezone.localtime(moment)
    return format_html('<time datetime="{}">{}</time>', local.isoformat(timespec="milliseconds"), words.exact(moment))


@register.simple_tag
def lasting(begin: datetime | None, end: datetime | None = None, none: str = NOTHING) -> SafeString | str:
    """From `begin` to `end`; without an end it goes on, and the page counts."""
    if begin is None:
        return none
    if end is not None:
        return words.duration(end - begin)
    return format_html(
        '<time datetime="{}" data-lasting>{}</time>',
        begin.isoformat(timespec="milliseconds"),
        words.duration(timezone.now() - begin),
    )


@register.filter
def seconds(value: float | timedelta | None) -> str:
    """A length of time, from seconds: 340 ms, 2.4 s, 3 m 20 s."""
    if value is None:
        return NOTHING
    return words.duration(value if isinstance(value, timedelta) else timedelta(seconds=value))


@register.filter
def number(value: float | None) -> str:
    """With thousands apart: 12,345."""
    return NOTHING if value is None else f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


@register.filter
def short(name: str) -> SafeString:
    """A dotted name whose last part is what one reads."""
    path, dot, last = name.rpartition(".")
    return format_html('<span class="path">{}{}</span>{}', path, dot, last)


@register.filter
def last_part(name: str) -> str:
    return name.rpartition(".")[2]


@register.filter
def percent(share: float) -> str:
    """0.031 as 3.1%."""
    return f"{share * 100:.1f}%" if share < 0.0995 else f"{share * 100:.0f}%"


@register.filter
def quantile(histogram: Histogram, share: float) -> float | None:
    """Seconds below which this share of the times is."""
    return histogram.quantile(share)


@register.simple_tag
def slots(present: Present) -> SafeString:
    """How many of a worker's slots are busy, as a bar."""
    busy, most = len(present.runs), present.worker.slots
    return plots.meter(busy, most, f"{busy} of {most} slots busy", "started")


@register.filter
def slice_id(run_id: UUID) -> str:
    """The end of an id, which differs most."""
    return f"…{str(run_id)[-12:]}"


@register.simple_tag
def role(viewer: Viewer | None) -> str:
    return words.role(viewer) if viewer else ""


@register.simple_tag
def logout_url() -> str:
    """Where to log out by POST; empty where the project has no such page."""
    for name in ("rowlock-console:logout", "admin:logout"):
        try:
            return reverse(name)
        except NoReverseMatch:
            continue
    return ""


@register.simple_tag(takes_context=True)
def address(context: template.Context, **changes: Any) -> str:
    """This page's address with some parameters changed; one that becomes empty is left out."""
    parameters = context["request"].GET.copy()
    for name, value in changes.items():
        if value in (None, ""):
            parameters.pop(name, None)
        else:
            parameters[name] = value
    return f"?{parameters.urlencode()}" if parameters else "?"


register.simple_tag(plots.sparkline, name="sparkline")
register.simple_tag(plots.bars, name="bars")
register.simple_tag(plots.lines, name="lines")
register.simple_tag(plots.meter, name="meter")
