"""What rowlock is told: the ROWLOCK setting of Django, and the environment of its process."""

import math
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


def pool_name() -> str:
    """The chart's name for the pool of this worker, from ROWLOCK_POOL; empty without one."""
    return os.environ.get("ROWLOCK_POOL", "")


def grace_seconds() -> float | None:
    """Seconds from TERM to KILL, from ROWLOCK_GRACE_SECONDS; None where nobody kills. Raises ConfigurationError."""
    raw = os.environ.get("ROWLOCK_GRACE_SECONDS", "")
    if not raw:
        return None
    if not raw.isdecimal() or int(raw) < 1:
        raise ConfigurationError(
            f"ROWLOCK_GRACE_SECONDS is {raw!r}; it must be a whole number of seconds, 1 or more: the "
            "terminationGracePeriodSeconds of the worker's pod."
        )
    return float(raw)


def waits_for_migrations() -> bool:
    """Does a worker wait until its database is migrated? ROWLOCK_WAIT_FOR_MIGRATIONS; raises ConfigurationError."""
    raw = os.environ.get("ROWLOCK_WAIT_FOR_MIGRATIONS", "")
    if raw not in ("", "false", "true"):
        raise ConfigurationError(f"ROWLOCK_WAIT_FOR_MIGRATIONS is {raw!r}; it must be true or false.")
    return raw == "true"


@dataclass(frozen=True, kw_only=True)
class Pod:
    """The pod of this process."""

    namespace: str
    name: str


def pod_with_deletion_cost() -> Pod | None:
    """The pod whose deletion cost this worker keeps up to date, None where ROWLOCK_DELETION_COST is not true.

    Raises ConfigurationError.
    """
    raw = os.environ.get("ROWLOCK_DELETION_COST", "")
    if raw in ("", "false"):
        return None
    if raw != "true":
        raise ConfigurationError(f"ROWLOCK_DELETION_COST is {raw!r}; it must be true or false.")
    pod = Pod(namespace=os.environ.get("ROWLOCK_POD_NAMESPACE", ""), name=os.environ.get("ROWLOCK_POD_NAME", ""))
    if not pod.namespace or not pod.name:
        raise ConfigurationError(
            "ROWLOCK_DELETION_COST is true, so ROWLOCK_POD_NAMESPACE and ROWLOCK_POD_NAME must name the worker's pod; "
            "fill them by the downward API from metadata.namespace and metadata.name."
        )
    return pod


@dataclass(frozen=True, kw_only=True)
class Ceilings:
    """Seconds after which a worker counts as dead: of a silent main loop, and of looking for the broker in vain."""

    loop: float
    reconnect: float


def ceilings() -> Ceilings:
    """From ROWLOCK_LOOP_CEILING and ROWLOCK_RECONNECT_CEILING; raises ConfigurationError on what is no such number."""
    return Ceilings(
        # A healthy main loop may wait for an answer of its broker for some seconds.
        loop=_seconds("ROWLOCK_LOOP_CEILING", default=60, least=10),
        reconnect=_seconds("ROWLOCK_RECONNECT_CEILING", default=4 * 3600, least=60),
    )


@dataclass(frozen=True, kw_only=True)
class LeaseOfBeat:
    """The Lease that a beat must hold to tick, and the name under which it does."""

    name: str
    namespace: str
    identity: str


def beat_lock() -> LeaseOfBeat | None:
    """The Lease of ROWLOCK_BEAT_LOCK=lease; None for `database`, the default. Raises ConfigurationError."""
    kind = os.environ.get("ROWLOCK_BEAT_LOCK", "") or "database"
    if kind not in ("database", "lease"):
        raise ConfigurationError(f"ROWLOCK_BEAT_LOCK is {kind!r}; it must be database or lease.")
    if kind == "database":
        return None
    lease = LeaseOfBeat(
        name=os.environ.get("ROWLOCK_LEASE_NAME", ""),
        namespace=os.environ.get("ROWLOCK_POD_NAMESPACE", ""),
        identity=os.environ.get("ROWLOCK_POD_NAME", ""),
    )
    if not (lease.name and lease.namespace and lease.identity):
        raise ConfigurationError(
            "ROWLOCK_BEAT_LOCK is lease, so ROWLOCK_LEASE_NAME must name the Lease, and ROWLOCK_POD_NAMESPACE and "
            "ROWLOCK_POD_NAME beat's pod; fill those two by the downward API from metadata.namespace and metadata.name."
        )
    return lease


def _seconds(variable: str, *, default: float, least: float) -> float:
    raw = os.environ.get(variable, "")
    try:
        seconds = float(raw or default)
    except ValueError:
        seconds = math.nan
    if not least <= seconds < math.inf:
        raise ConfigurationError(
            f"{variable} is {raw!r}; it must be a number of seconds, {least:.0f} or more, for example "
            f"{variable}={default:.0f}."
        )
    return seconds


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The ROWLOCK setting, a dictionary with these names in capitals; every one has a default."""

    #: Bytes of JSON that the arguments of a run may have.
    payload_limit: int = 256 * 1024
    #: Bytes of JSON up to which a result is kept in the history.
    result_limit: int = 64 * 1024
    #: Seconds of short tasks that a worker takes ahead from RabbitMQ, beyond its prefetch; 0 for none.
    prefetch_seconds: float = 0.2
    #: Days and number of finished runs that are kept; None for no limit.
    retention_days: float | None = 30
    retention_count: int | None = 1_000_000
    #: Days for which it is kept who did what; None for ever.
    audit_days: float | None = 365
    #: Bytes that are kept of what one execution of a task logs, at which level and above; 0 bytes for none.
    log_limit: int = 64 * 1024
    log_level: str = "INFO"
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
    #: Measure what every task waits and runs and what becomes of it.
    metrics: bool = True


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
_DAYS = (
    "a number of days above 0, or None",
    lambda value: value is None or (isinstance(value, int | float) and value is not True and value > 0),
)
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_EXPECTED: dict[str, tuple[str, Any]] = {
    "PAYLOAD_LIMIT": ("a whole number of bytes, 1 or more", lambda value: _is_whole(value, 1)),
    "RESULT_LIMIT": ("a whole number of bytes, 0 or more", lambda value: _is_whole(value, 0)),
    "PREFETCH_SECONDS": (
        "a number of seconds from 0 to 10",
        lambda value: isinstance(value, int | float) and value is not True and 0 <= value <= 10,
    ),
    "RETENTION_DAYS": _DAYS,
    "RETENTION_COUNT": ("a whole number, or None", lambda value: value is None or _is_whole(value, 0)),
    "AUDIT_DAYS": _DAYS,
    "LOG_LIMIT": ("a whole number of bytes, 0 or more", lambda value: _is_whole(value, 0)),
    "LOG_LEVEL": (f"one of {', '.join(_LEVELS)}", lambda value: value in _LEVELS),
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
    "METRICS": ("True or False", lambda value: isinstance(value, bool)),
}


def _forget(setting: str, **kwargs: Any) -> None:
    if setting == "ROWLOCK":
        settings.cache_clear()


setting_changed.connect(_forget)
