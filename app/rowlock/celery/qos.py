"""How many messages RabbitMQ delivers to a worker before it is given acks, changed while the worker consumes."""

from typing import Any

from rowlock.celery.queues import queue_of


class Limit:
    """How many messages of each queue the broker delivers before it is given acks."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer
        #: Of each queue the consumer tag and its prefetch.
        self._known: dict[str, tuple[str, int]] = {}
        #: What consumers get that are not made here.
        self._last = int(consumer.initial_prefetch_count)

    def rest(self) -> None:
        """Consume nothing until the next `keep`."""
        if not self._consumer.qos_global:
            for queue in self._queues():
                self._cancel(queue.name)

    def keep(self, messages: int, *, is_ahead: bool) -> None:
        """Have so many at the most; those that the consumers before this one took count unless `is_ahead`."""
        if self._consumer.qos_global:
            if messages != self._last:
                self._set(messages)
            return
        # Where it counts for each consumer, it is for new ones (https://www.rabbitmq.com/docs/consumer-prefetch).
        for queue in self._queues():
            wanted = messages if is_ahead else max(0, messages - self._taken_before(queue.name))
            if wanted != self._of(queue.name):
                # Waits for the answer: what comes before it is still this worker's, and may be one too many.
                self._cancel(queue.name)
                self._consume(queue, messages if is_ahead else messages - self._taken_before(queue.name))

    def _queues(self) -> list[Any]:
        return [queue for queue in self._consumer.task_consumer.queues if _may_be_left(queue)]

    def _of(self, name: str) -> int:
        tag = self._consumer.task_consumer._active_tags.get(name)
        if tag is None:
            return 0
        known, messages = self._known.get(name, ("", 0))
        return messages if known == tag else self._last

    def _taken_before(self, name: str) -> int:
        tag = self._consumer.task_consumer._active_tags.get(name)
        held = self._consumer.controller.rowlock_slots.held
        tags = [one._message.delivery_info["consumer_tag"] for one in held if queue_of(one.delivery_info) == name]
        return sum(1 for of_message in tags if of_message != tag)

    def _cancel(self, name: str) -> None:
        tasks = self._consumer.task_consumer
        # Not a queue that is missing: it has no consumer on purpose.
        self._consumer.rowlock_resting.add(name)
        if (tag := tasks._active_tags.get(name)) is not None:
            tasks.channel.basic_cancel(tag)
            tasks._active_tags.pop(name, None)

    def _consume(self, queue: Any, messages: int) -> None:
        if messages < 1:
            return
        tasks = self._consumer.task_consumer
        self._set(messages)
        tasks._basic_consume(queue, nowait=False)
        self._known[queue.name] = tasks._active_tags[queue.name], messages
        self._consumer.rowlock_resting.discard(queue.name)

    def _set(self, messages: int) -> None:
        self._last = self._consumer.qos.value = messages
        self._consumer.qos.set(messages)


def _may_be_left(queue: Any) -> bool:
    # Without their consumer auto-delete queues are gone, as those of fan-outs; and of several only one consumes, which
    # is then another.
    is_single = (queue.queue_arguments or {}).get("x-single-active-consumer")
    return not (queue.auto_delete or queue.exclusive or is_single)
