"""Keeping RabbitMQ's policies as the values say, as far as it lets us."""

import logging

from rowlock.broker import policies
from rowlock.broker.management import Forbidden, Management, ManagementError, Unreachable
from rowlock.collector.configuration import Configuration
from rowlock.collector.snapshot import Snapshot

logger = logging.getLogger(__name__)


class PolicyKeeper:
    """Applies the policies again and again, and says once what it cannot do and who can."""

    def __init__(self, management: Management, configuration: Configuration) -> None:
        self._management = management
        self._limits = configuration.limits
        self._said: set[str] = set()

    def keep(self) -> bool:
        """Apply the policies; returns whether they are as wanted. Raises Unreachable."""
        try:
            changed = policies.apply(self._management, self._limits)
        except Unreachable:
            raise
        except ManagementError as error:
            self._say(self._advice(error))
            return False
        if changed:
            logger.info("policies changed: %s", ", ".join(changed))
        self._said.clear()
        return True

    def warn_of_others(self, snapshot: Snapshot) -> None:
        """Say which queues have another policy than rowlock's, for RabbitMQ applies only one."""
        names = policies.wanted(self._limits)
        for queue, policy in policies.overruled(snapshot.raw, names).items():
            definition = names[policies.PREFIX + queue]["definition"]
            self._say(
                f"RabbitMQ applies the policy {policy!r} to the queue {queue!r} and not {policies.PREFIX + queue!r}, "
                f"for a queue has one policy. Put {definition} into {policy!r} too, or have it match other queues."
            )

    def _advice(self, error: ManagementError) -> str:
        address = self._management.address
        lines = [f"the policies of RabbitMQ cannot be kept: {error}."]
        if isinstance(error, Forbidden):
            lines.append(
                f"Give {address.username!r} the permission to configure the vhost {address.vhost!r}, and two tags "
                f"(rabbitmqctl set_user_tags {address.username} policymaker monitoring),"
            )
        else:
            lines.append("Mend that,")
        lines.append("or set ROWLOCK_POLICIES=false and keep them yourself:")
        return "\n  ".join([*lines, *policies.commands(address.vhost, self._limits)])

    def _say(self, message: str) -> None:
        if message not in self._said:
            self._said.add(message)
            logger.warning("%s", message)
