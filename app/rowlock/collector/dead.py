"""Looking at the dead letters that RabbitMQ itself put into rowlock.dead."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rowlock.broker.management import Management
from rowlock.broker.topology import DEAD_QUEUE

#: Messages in one look.
MOST = 1000


@dataclass(frozen=True, kw_only=True)
class Death:
    """The id of a message's task, why RabbitMQ gave the message up, and when."""

    id: str
    reason: str
    at: datetime


def deaths(management: Management) -> Iterator[Death]:
    """Of the first `MOST` dead letters those that RabbitMQ gave up; they stay there. Raises ManagementErrors."""
    # Without the body: what matters is in the headers.
    body = {"count": MOST, "ackmode": "ack_requeue_true", "encoding": "auto", "truncate": 1}
    for message in management.post("queues", management.address.vhost, DEAD_QUEUE, "get", body=body) or []:
        headers: dict[str, Any] = message.get("properties", {}).get("headers") or {}
        records = headers.get("x-death") or []
        if records and headers.get("id"):
            at = datetime.fromtimestamp(records[0]["time"], UTC)
            yield Death(id=str(headers["id"]), reason=str(headers.get("x-last-death-reason", "")), at=at)
