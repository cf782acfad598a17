"""RabbitMQ's policies of the queues: limits that can be changed while the queues are there, without a restart.

What never changes about a queue (its type) is in its arguments, where a different value later is refused
(PRECONDITION_FAILED). What follows from the values is here.
"""

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rowlock.broker.management import Management
from rowlock.broker.topology import (
    DEAD_LETTER_EXCHANGE,
    DEAD_QUEUE,
    DEAD_QUEUE_ARGUMENTS,
    DESTINATIONS,
    EXPIRED_QUEUE,
    EXPIRED_QUEUE_ARGUMENTS,
)

PREFIX = "rowlock."
#: Below that of policies made without a thought of it (0): RabbitMQ applies one policy a queue, and people win.
PRIORITY = -1
#: Deliveries, counted by RabbitMQ, after which it gives a message up. Each return counts, also of a message that a
#: worker had fetched and not begun when it ended, so this is only for what kills workers before ROWLOCK's own
#: DELIVERY_LIMIT can count a start.
DELIVERY_LIMIT = 100
#: For the dead letters themselves: looking at one in the management page gives it back, which counts.
UNLIMITED = -1


@dataclass(frozen=True, kw_only=True)
class QueueLimits:
    """What the values say of one queue."""

    queue: str
    #: Seconds for which a consumer may hold a message: above the longest task, or it is taken away and runs twice.
    consumer_timeout: float
    delivery_limit: int = DELIVERY_LIMIT


def wanted(queues: Iterable[QueueLimits]) -> dict[str, dict[str, Any]]:
    """The policies for `queues` by name, as the management API takes them."""
    definitions: dict[str, dict[str, Any]] = {
        limits.queue: {
            "delivery-limit": limits.delivery_limit,
            "consumer-timeout": round(limits.consumer_timeout * 1000),
            "dead-letter-exchange": DEAD_LETTER_EXCHANGE,
            "dead-letter-routing-key": DEAD_QUEUE,
            # At least once only works with reject-publish, which rejects above a length; none is set here.
            "dead-letter-strategy": "at-least-once",
            "overflow": "reject-publish",
        }
        for limits in queues
    }
    definitions[DEAD_QUEUE] = {"delivery-limit": UNLIMITED}
    return {PREFIX + queue: _policy(queue, definition) for queue, definition in definitions.items()}


def apply(management: Management, queues: Iterable[QueueLimits]) -> list[str]:
    """Have RabbitMQ keep these policies, and what they refer to; returns the names of those that were changed.

    Those of queues that are no more are deleted once the queue is empty and unused. All others, also of rowlock's kind
    of name where rowlock cannot have made them, are let be. Raises ManagementErrors.
    """
    vhost = management.address.vhost
    _declare(management, vhost)
    mine = wanted(queues)
    there = {policy["name"]: policy for policy in management.get("policies", vhost) or []}
    changed = []
    for name, policy in mine.items():
        if any(there.get(name, {}).get(key) != value for key, value in policy.items()):
            management.put("policies", vhost, name, body=policy)
            changed.append(name)
    for name in sorted(there.keys() - mine.keys()):
        if _is_stale(management, there[name]):
            management.delete("policies", vhost, name)
            changed.append(name)
    return changed


def commands(vhost: str, queues: Iterable[QueueLimits]) -> list[str]:
    """What somebody with the permission can type to set the policies by hand."""
    return [
        shlex.join([
            "rabbitmqctl", "set_policy", "-p", vhost, "--apply-to", policy["apply-to"],
            "--priority", str(policy["priority"]), name, policy["pattern"], json.dumps(policy["definition"]),
        ])
        for name, policy in wanted(queues).items()
    ]  # fmt: skip


def overruled(queues: Iterable[Mapping[str, Any]], names: Iterable[str]) -> dict[str, str]:
    """Those of `queues` (as the API tells them) to which another policy applies than rowlock's, and its name."""
    mine = set(names)
    return {
        queue["name"]: queue["policy"]
        for queue in queues
        if PREFIX + queue["name"] in mine and queue.get("policy") and queue["policy"] not in mine
    }


def _policy(queue: str, definition: dict[str, Any]) -> dict[str, Any]:
    return {
        "pattern": f"^{re.escape(queue)}$",
        "apply-to": "quorum_queues",
        "priority": PRIORITY,
        "definition": definition,
    }


def _is_stale(management: Management, policy: Mapping[str, Any]) -> bool:
    name = str(policy["name"])
    queue = name.removeprefix(PREFIX)
    if queue == name or policy.get("pattern") != f"^{re.escape(queue)}$" or policy.get("priority") != PRIORITY:
        return False
    # One that is still in use belongs to another release on this vhost, or is not empty yet.
    found = management.get("queues", management.address.vhost, queue) or {}
    return not found.get("consumers") and not found.get("messages")


def _declare(management: Management, vhost: str) -> None:
    bindings = management.get("exchanges", vhost, DEAD_LETTER_EXCHANGE, "bindings", "source") or []
    there = {(binding["destination"], binding["arguments"].get("x-last-death-reason")) for binding in bindings}
    missing = [(queue, reason) for reason, queue in DESTINATIONS.items() if (queue, reason) not in there]
    if not missing:
        return
    management.put("exchanges", vhost, DEAD_LETTER_EXCHANGE, body={"type": "headers", "durable": True})
    for queue, arguments in ((DEAD_QUEUE, DEAD_QUEUE_ARGUMENTS), (EXPIRED_QUEUE, EXPIRED_QUEUE_ARGUMENTS)):
        management.put("queues", vhost, queue, body={"durable": True, "arguments": arguments})
    for queue, reason in missing:
        # The reason is one of the headers beginning with x-, at which only the matches named -with-x look.
        arguments = {"x-match": "all-with-x", "x-last-death-reason": reason}
        body = {"routing_key": "", "arguments": arguments}
        management.post("bindings", vhost, "e", DEAD_LETTER_EXCHANGE, "q", queue, body=body)
