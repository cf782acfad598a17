"""What the collector is told, by its environment."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from rowlock.broker.management import Address, address
from rowlock.broker.policies import DELIVERY_LIMIT, QueueLimits
from rowlock.conf import ConfigurationError

_EXAMPLE = """ROWLOCK_QUEUES='{"celery": {"pool": "default", "consumerTimeout": 3600}}'"""
_BOOLEANS = {"": True, "true": True, "false": False}


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """Checked values of the environment; which variables these are is in docs/rabbitmq.md and docs/metrics.md."""

    address: Address
    #: The pool of each queue.
    pools: Mapping[str, str]
    limits: tuple[QueueLimits, ...]
    #: Keep policies, not only measure.
    keeps_policies: bool
    #: Where AMQP is spoken over TLS; None where it is not.
    amqps: tuple[str, int] | None
    #: The release whose objects are told of, and its namespace; empty outside of Kubernetes.
    release: str
    namespace: str
    #: Pods that each pool may grow to.
    pods_max: Mapping[str, int]


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
        amqps=_amqps(variables["BROKER_URL"]),
        release=variables.get("ROWLOCK_RELEASE", ""),
        namespace=_namespace(variables),
        pods_max=_pods_max(variables.get("ROWLOCK_PODS_MAX", "")),
    )


def _amqps(broker_url: str) -> tuple[str, int] | None:
    parts = urlsplit(broker_url.partition(";")[0])
    return (parts.hostname, parts.port or 5671) if parts.scheme == "amqps" and parts.hostname else None


def _namespace(variables: Mapping[str, str]) -> str:
    namespace = variables.get("ROWLOCK_POD_NAMESPACE", "")
    if variables.get("ROWLOCK_RELEASE") and not namespace:
        raise ConfigurationError(
            "ROWLOCK_RELEASE names a release, so ROWLOCK_POD_NAMESPACE must name its namespace; fill it by the "
            "downward API from metadata.namespace."
        )
    return namespace


def _pods_max(text: str) -> dict[str, int]:
    example = """ROWLOCK_PODS_MAX='{"default": 10}'"""
    try:
        given = json.loads(text or "{}")
    except ValueError as error:
        raise ConfigurationError(f"ROWLOCK_PODS_MAX is not JSON ({error}); for example {example}.") from None
    if not isinstance(given, dict) or any(type(most) is not int or most < 0 for most in given.values()):
        raise ConfigurationError(f"ROWLOCK_PODS_MAX must give a number of pods for each pool; for example {example}.")
    return given


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
