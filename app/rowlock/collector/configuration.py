"""What the collector is told, by its environment."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rowlock.broker.management import Address, address
from rowlock.broker.policies import DELIVERY_LIMIT, QueueLimits
from rowlock.conf import ConfigurationError

_EXAMPLE = """ROWLOCK_QUEUES='{"celery": {"pool": "default", "consumerTimeout": 3600}}'"""
_BOOLEANS = {"": True, "true": True, "false": False}


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """Checked values of BROKER_URL, RABBITMQ_MANAGEMENT_URL, ROWLOCK_QUEUES and ROWLOCK_POLICIES."""

    address: Address
    #: The pool of each queue.
    pools: Mapping[str, str]
    limits: tuple[QueueLimits, ...]
    #: Keep policies, not only measure.
    keeps_policies: bool


def read(variables: Mapping[str, str]) -> Configuration:
    """Read the environment; raises ConfigurationError on the first variable that cannot be used."""
    if not variables.get("BROKER_URL"):
        raise ConfigurationError("BROKER_URL is missing; for example BROKER_URL=amqp://user:password@host:5672/vhost.")
    try:
        where = address(variables["BROKER_URL"], variables.get("RABBITMQ_MANAGEMENT_URL", ""))
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    keeps = variables.get("ROWLOCK_POLICIES", "").lower()
    if keeps not in _BOOLEANS:
        raise ConfigurationError(f"ROWLOCK_POLICIES is {keeps!r}; it must be true or false.")
    queues = _queues(variables.get("ROWLOCK_QUEUES", ""))
    return Configuration(
        address=where,
        pools={name: queue["pool"] for name, queue in queues.items()},
        limits=tuple(
            QueueLimits(
                queue=name,
                consumer_timeout=queue["consumerTimeout"],
                delivery_limit=queue.get("deliveryLimit", DELIVERY_LIMIT),
            )
            for name, queue in queues.items()
        ),
        keeps_policies=_BOOLEANS[keeps],
    )


def _queues(text: str) -> dict[str, dict[str, Any]]:
    try:
        queues = json.loads(text or "{}")
    except ValueError as error:
        raise ConfigurationError(f"ROWLOCK_QUEUES is not JSON ({error}); for example {_EXAMPLE}.") from None
    if not isinstance(queues, dict) or not queues:
        raise ConfigurationError(f"ROWLOCK_QUEUES must name the queues to watch; for example {_EXAMPLE}.")
    for name, queue in queues.items():
        if not name or not isinstance(queue, dict) or not isinstance(queue.get("pool"), str):
            raise ConfigurationError(f"ROWLOCK_QUEUES does not say the pool of queue {name!r}; for example {_EXAMPLE}.")
        timeout = queue.get("consumerTimeout")
        if not isinstance(timeout, int | float) or isinstance(timeout, bool) or timeout < 60:
            raise ConfigurationError(
                f"ROWLOCK_QUEUES has {timeout!r} as consumerTimeout of queue {name!r}; it must be 60 seconds or more, "
                "and more than its longest task."
            )
        limit = queue.get("deliveryLimit", DELIVERY_LIMIT)
        if not isinstance(limit, int) or isinstance(limit, bool) or (limit < 1 and limit != -1):
            raise ConfigurationError(
                f"ROWLOCK_QUEUES has {limit!r} as deliveryLimit of queue {name!r}; it must be 1 or more, "
                "or -1 for no limit."
            )
    return queues
