"""Times, lengths of time and roles in words."""

from datetime import datetime, timedelta

from django.utils import timezone

from rowlock.models import Run, State
from rowlock.runs.viewer import Viewer

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
#: Seconds below which "now" says enough.
_NOW = 2


def state_of(run: Run) -> str:
    """The word for the state of `run`: what waits for its time is scheduled."""
    return "scheduled" if run.is_scheduled else State(run.state).label


def duration(length: timedelta) -> str:
    """340 ms, 2.4 s, 48 s, 3 m 20 s, 5 h 10 m, 2 d 4 h. console.js says it in the same words."""
    seconds = max(0.0, length.total_seconds())
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    whole = int(seconds)
    for unit, size, smaller, part in (("m", _MINUTE, "s", 1), ("h", _HOUR, "m", _MINUTE), ("d", _DAY, "h", _HOUR)):
        if whole < size * (60 if unit == "m" else 24) or unit == "d":
            rest = whole % size // part
            return f"{whole // size} {unit} {rest} {smaller}" if rest else f"{whole // size} {unit}"
    raise AssertionError


def ago(length: timedelta) -> str:
    """now, 14 s ago, 3 m ago, 5 h ago, 2 d ago, and in 14 s for what is to come."""
    seconds = length.total_seconds()
    if abs(seconds) < _NOW:
        return "now"
    whole = round(abs(seconds))
    for unit, size, most in (("s", 1, _MINUTE), ("m", _MINUTE, _HOUR), ("h", _HOUR, _DAY), ("d", _DAY, None)):
        if most is None or whole < most:
            amount = f"{whole // size} {unit}"
            return f"{amount} ago" if seconds > 0 else f"in {amount}"
    raise AssertionError


def exact(moment: datetime) -> str:
    """2026-11-21 14:03:21.482 CET"""
    local = timezone.localtime(moment)
    return f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03} {local:%Z}"


def role(viewer: Viewer) -> str:
    if viewer.may_operate:
        return "operator"
    if viewer.may_submit:
        return "submitter"
    return "read-only" if viewer.sees_all else "no role"
