"""Why a service does not answer, in the few words that alerts tell apart."""

import ssl
from collections.abc import Iterator
from typing import Literal, get_args

from rowlock.broker.management import Forbidden, Unreachable

Reason = Literal["credentials", "certificate", "unreachable", "other"]
REASONS: tuple[Reason, ...] = get_args(Reason)

#: What clients say that tell no more than a text (libpq, redis-py), in lower case; the first that is found holds.
_WORDS: tuple[tuple[str, Reason], ...] = (
    ("certificate", "certificate"),
    ("ssl", "certificate"),
    ("authentication", "credentials"),
    ("password", "credentials"),
    ("no pg_hba.conf entry", "credentials"),
    ("wrongpass", "credentials"),
    ("noauth", "credentials"),
    ("noperm", "credentials"),
    ("permission denied", "credentials"),
    ("connection", "unreachable"),
    ("resolve", "unreachable"),
    ("translate host name", "unreachable"),
    ("timeout", "unreachable"),
    ("timed out", "unreachable"),
)


def reason_of(error: BaseException) -> Reason:
    """The reason that `error`, or what it came from, gives."""
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return "certificate"
    if any(isinstance(cause, Forbidden) for cause in causes):
        return "credentials"
    if any(isinstance(cause, Unreachable | TimeoutError | ConnectionRefusedError) for cause in causes):
        return "unreachable"
    text = " ".join(f"{type(cause).__name__} {cause}" for cause in causes).lower()
    found = next((reason for word, reason in _WORDS if word in text), None)
    if found is None:
        return "unreachable" if any(isinstance(cause, OSError) for cause in causes) else "other"
    return found


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        # urllib keeps what happened beside the chain.
        inner = getattr(error, "reason", None)
        if isinstance(inner, BaseException):
            yield inner
        error = error.__cause__ or error.__context__
