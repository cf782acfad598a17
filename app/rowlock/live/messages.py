"""What live views say: JSON texts, and the errors that end them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST = 253402300799 * 10**6


#: The type of messages that only say that the connection lives.
HEARTBEAT = "heartbeat"


class Code(IntEnum):
    """WebSocket close codes; those from 4000 are the HTTP status of the same meaning plus 4000."""

    RESTARTING = 1012
    TRY_LATER = 1013
    TOO_SLOW = 1008
    MALFORMED = 4400
    UNAUTHENTICATED = 4401
    NOT_ALLOWED = 4403
    NOT_FOUND = 4404


class EndedError(Exception):
    """The view ends, or never begins; the reason is for the person at the other end."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Message:
    """`text` is a JSON object; who has got everything up to it may go on from `position`, also elsewhere."""

    kind: str
    text: str
    position: str | None = None


def message(kind: str, token: datetime | None, **members: str) -> Message:
    """A message of type `kind`; `members` are JSON texts already."""
    position = None if token is None else str((token - _EPOCH) // timedelta(microseconds=1))
    parts = {"type": dumps(kind), **members, **({} if position is None else {"position": dumps(position)})}
    text = ",".join(f"{dumps(name)}:{part}" for name, part in parts.items())
    return Message(kind=kind, text="{" + text + "}", position=position)


def token_of(position: str) -> datetime:
    """The opposite of `Message.position`; raises EndedError on what is none."""
    if not (position.isascii() and position.isdecimal() and len(position) < 20 and int(position) < _LARGEST):
        raise EndedError(
            Code.MALFORMED, "`since` must be the position of an earlier message; leave it out to begin anew."
        )
    return _EPOCH + timedelta(microseconds=int(position))


def dumps(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def joined(texts: Iterable[str]) -> str:
    """The JSON list of values that are JSON texts already."""
    return "[" + ",".join(texts) + "]"
