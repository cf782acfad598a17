"""What the values of qualifiers spell: times, durations, comparisons, names with `*`."""

import re
from datetime import date, datetime, time, timedelta

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

_DAY = timedelta(days=1)
_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": _DAY,
    "w": timedelta(weeks=1),
}
_PART = r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d|w)"
_DURATION = re.compile(f"(?:{_PART})+")
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")
_COMPARISON = re.compile(r"(>=|<=|>|<|=)?\s*(.*)")
#: Further away, other time zones fall off the calendar.
_YEARS = range(1970, 9999)
_MOST_DAYS = 36_500

DURATION_EXAMPLE = "90s, 5m, 1h30m, 7d"
MOMENT_EXAMPLE = "2026-11-01, 2026-11-01T10:00"

_LOOKUPS = {">=": "gte", "<=": "lte", ">": "gt", "<": "lt", "=": "exact"}


def duration(text: str) -> timedelta:
    """Reads `1h30m`; raises ValueError with what is expected."""
    if not _DURATION.fullmatch(text):
        raise ValueError(f"expected a number with ms, s, m, h, d or w ({DURATION_EXAMPLE}), not {text!r}")
    days = sum(float(number) * (_UNITS[unit] / _DAY) for number, unit in re.findall(_PART, text))
    if days > _MOST_DAYS:
        raise ValueError(f"{text!r} is longer than a hundred years")
    return timedelta(days=days)


def moment(text: str) -> datetime | date:
    """Reads a day or a time; a time without an offset is in the current time zone. Raises ValueError."""
    try:
        found = parse_date(text) if _DATE.fullmatch(text) else parse_datetime(text)
    except ValueError:
        found = None
    if found is None or found.year not in _YEARS:
        raise ValueError(f"expected a day or a time ({MOMENT_EXAMPLE}), not {text!r}")
    if isinstance(found, datetime) and timezone.is_naive(found):
        return timezone.make_aware(found)
    return found


def ago_or_moment(text: str) -> timedelta | datetime | date:
    """Reads how long ago, a day or a time; raises ValueError."""
    if _DURATION.fullmatch(text):
        return duration(text)
    try:
        return moment(text)
    except ValueError:
        raise ValueError(f"expected how long ago, a day or a time (1h, {MOMENT_EXAMPLE}), not {text!r}") from None


def start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


def comparison(text: str) -> tuple[str | None, str]:
    """Splits `>=5` into Django's name of the lookup and the rest; None without an operator."""
    match = _COMPARISON.fullmatch(text)
    assert match is not None
    return _LOOKUPS.get(match[1]), match[2]


def glob_pattern(text: str) -> str:
    """A regular expression, for Python and for databases, of what `text` with `*` for any part matches."""
    return ".*".join(re.escape(part) for part in re.split(r"\*+", text))


def has_trigram(text: str) -> bool:
    """Are three letters or digits in a row in it? Less than that no index of parts of texts can find."""
    return re.search(r"[^\W_]{3}", text) is not None
