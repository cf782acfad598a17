"""What rowlock is told: the ROWLOCK setting of Django, and the environment of its process."""

import os
from dataclasses import dataclass, fields
from difflib import get_close_matches
from functools import cache
from typing import Any

from django.conf import settings as django_settings
from django.core.signals import setting_changed

DEFAULT_PORT = 9540
PERIODS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class ConfigurationError(Exception):
    """A setting or variable has a value that rowlock cannot use; the message names it and what it expects."""


@dataclass(frozen=True, kw_only=True)
class HealthAddress:
    """Where this process serves health and metrics.

    `chosen` is true when somebody asked for this very port: then it must be had, else it may be done without.
    """

    port: int
    chosen: bool


def health_address() -> HealthAddress:
    """The port from ROWLOCK_PORT, 9540 without it; raises ConfigurationError on anything but a port number."""
    raw = os.environ.get("ROWLOCK_PORT", "")
    if not raw:
        return HealthAddress(port=DEFAULT_PORT, chosen=False)
    if not raw.isdecimal() or not 0 < int(raw) < 65536:
        raise ConfigurationError(
            f"ROWLOCK_PORT is {raw!r}; it must be a port number from 1 to 65535, for example ROWLOCK_PORT=9540."
        )
    return HealthAddress(port=int(raw), chosen=True)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The ROWLOCK setting, a dictionary with these names in capitals; every one has a default."""

    #: Bytes of JSON that the arguments of a run may have.
    payload_limit: int = 256 * 1024
    #: Bytes of JSON up to which a result is kept in the history.
    result_limit: int = 64 * 1024
    #: Days and number of finished runs that are kept; None for no limit.
    retention_days: float | None = 30
    retention_count: int | None = 1_000_000
    #: Deliveries after which a run whose workers died is given up.
    delivery_limit: int = 5
    #: Publish what could not be published at once from this process too.
    relay: bool = True
    #: Tasks (names, `*` for any part) whose arguments, whose results and errors, are shown to nobody.
    redact_arguments: tuple[str, ...] = ()
    redact_results: tuple[str, ...] = ()
    #: Submissions over HTTP for each user: a number and s, m, h or d, as in "600/m"; "" for no limit.
    submit_rate: str = "6000/m"
    #: Redis that tells live views at once of a change; without one they look every half second.
    live_redis_url: str = ""
    #: Queues beside those of the task routes that may be named when submitting over HTTP.
    queues: tuple[str, ...] = ()


@cache
def settings() -> Settings:
    """The checked ROWLOCK setting; raises ConfigurationError with every mistake in it."""
    given = getattr(django_settings, "ROWLOCK", {})
    if not isinstance(given, dict):
        raise ConfigurationError(f"ROWLOCK must be a dictionary, not {given!r}.")
    known = {field.name.upper(): field for field in fields(Settings)}
    problems = [_problem(name, value, known) for name, value in given.items()]
    if found := [problem for problem in problems if problem]:
        raise ConfigurationError(" ".join(found))
    values: dict[str, Any] = {
        name.lower(): tuple(value) if isinstance(value, list) else value for name, value in given.items()
    }
    return Settings(**values)


def _problem(name: str, value: Any, known: dict[str, Any]) -> str:
    if name not in known:
        near = get_close_matches(str(name), known, n=1)
        return f"ROWLOCK has no {name!r}; " + (f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known)}.")
    expected = _EXPECTED[name]
    return "" if expected[1](value) else f"ROWLOCK[{name!r}] is {value!r}; it must be {expected[0]}."


def _is_whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _are_names(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(name, str) and name for name in value)


def _is_rate(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    number, _, period = value.partition("/")
    return value == "" or (number.isdecimal() and int(number) > 0 and period in PERIODS)


_NAMES = ("a list of task names, with * for any part", _are_names)
_EXPECTED: dict[str, tuple[str, Any]] = {
    "PAYLOAD_LIMIT": ("a whole number of bytes, 1 or more", lambda value: _is_whole(value, 1)),
    "RESULT_LIMIT": ("a whole number of bytes, 0 or more", lambda value: _is_whole(value, 0)),
    "RETENTION_DAYS": (
        "a number of days above 0, or None",
        lambda value: value is None or (isinstance(value, int | float) and value is not True and value > 0),
    ),
    "RETENTION_COUNT": ("a whole number, or None", lambda value: value is None or _is_whole(value, 0)),
    "DELIVERY_LIMIT": ("a whole number, 1 or more", lambda value: _is_whole(value, 1)),
    "RELAY": ("True or False", lambda value: isinstance(value, bool)),
    "REDACT_ARGUMENTS": _NAMES,
    "REDACT_RESULTS": _NAMES,
    "SUBMIT_RATE": ('a number and s, m, h or d, as in "600/m", or ""', _is_rate),
    "LIVE_REDIS_URL": (
        'a redis:// or rediss:// URL, or ""',
        lambda value: isinstance(value, str) and value.partition("://")[0] in ("", "redis", "rediss"),
    ),
    "QUEUES": ("a list of queue names", _are_names),
}


def _forget(setting: str, **kwargs: Any) -> None:
    if setting == "ROWLOCK":
        settings.cache_clear()


setting_changed.connect(_forget)
