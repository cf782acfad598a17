"""The messages in rowlock.dead: looking at them, giving them to workers again, and forgetting them."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kombu import Queue

from rowlock.broker.topology import DEAD_QUEUE
from rowlock.models import Run
from rowlock.models.run import parse_id
from rowlock.runs.registry import celery_app
from rowlock.runs.steering import retry as retry_run

#: Headers that tell of a message's death, and its deliveries before that.
_OF_DEATH = ("x-death", "x-first-death", "x-last-death", "x-delivery-count", "x-rowlock-queue")


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """One message: the id and name of its task, the queue it was in, why it is dead, and its arguments as shown."""

    id: str
    task: str
    queue: str
    reason: str
    arguments: str


def look(limit: int) -> list[DeadLetter]:
    """The first `limit` of them, which stay. Raises kombu's OperationalError."""
    with _dead(limit) as messages:
        return [_letter(message) for message in messages]


def retry(ids: Collection[str] | None) -> int:
    """Have those of `ids` (None for all) executed again; returns how many.

    A run of the history is retried as such, by a new one. Any other message goes back to its queue. Raises RunErrors,
    and kombu's OperationalError, on the first that cannot; what was done before stays done.
    """
    return _settle(ids, _again)


def drop(ids: Collection[str] | None) -> int:
    """Forget those of `ids` (None for all); returns how many. Raises kombu's OperationalError."""
    return _settle(ids, lambda _: None)


def _settle(ids: Collection[str] | None, act: Callable[[Any], None]) -> int:
    done = 0
    with _dead() as messages:
        for message in messages:
            if ids is None or _letter(message).id in ids:
                act(message)
                message.ack()
                done += 1
    return done


def _again(message: Any) -> None:
    letter = _letter(message)
    run_id = parse_id(letter.id)
    run = Run.objects.filter(id=run_id).first() if run_id else None
    if run is not None and run.arguments:
        retry_run(run)
        return
    with celery_app().producer_or_acquire() as producer:
        producer.publish(
            message.body,
            exchange="",
            routing_key=letter.queue,
            headers={name: value for name, value in message.headers.items() if not name.startswith(_OF_DEATH)},
            content_type=message.content_type,
            content_encoding=message.content_encoding,
            correlation_id=letter.id,
            delivery_mode=2,
            # A queue that is gone is an error, not the end of the message.
            mandatory=True,
            confirm_timeout=10,
        )


@contextmanager
def _dead(limit: int | None = None) -> Iterator[Iterator[Any]]:
    with celery_app().connection_for_write() as connection:
        # What is not acked when the channel is closed is back in its place.
        channel = connection.channel()
        queue = Queue(DEAD_QUEUE)(channel)
        try:
            count = queue.queue_declare(passive=True).message_count
        except connection.channel_errors:
            # There was never any.
            count = 0
        wanted = count if limit is None else min(limit, count)
        try:
            yield (message for message in (queue.get() for _ in range(wanted)) if message is not None)
        finally:
            channel.close()


def _letter(message: Any) -> DeadLetter:
    headers = message.headers
    return DeadLetter(
        id=str(headers.get("id", "")),
        task=str(headers.get("task", "")),
        queue=str(headers.get("x-rowlock-queue") or headers.get("x-last-death-queue", "")),
        # What rowlock gave up itself has no reason of RabbitMQ's.
        reason=str(headers.get("x-last-death-reason", "started too often")),
        arguments=f"{headers.get('argsrepr', '')} {headers.get('kwargsrepr', '')}".strip(),
    )
