"""What RabbitMQ says of the messages that were published on a channel."""

from typing import Any

from amqp import spec

from rowlock.outbox.buffering import Buffer
from rowlock.outbox.patterns import Pattern


class Confirms:
    """Counts what a channel of RabbitMQ publishes and what the broker confirms of it.

    Other transports have it written when publishing returns: for them everything counts as confirmed.
    """

    def __init__(self) -> None:
        self.tag = 0
        self.returned: set[str] = set()
        self._counts = False
        self._buffer: Buffer | None = None
        self._channel: Any = None
        self._last: tuple[Any, tuple[str, str, bool, bool]] | None = None
        self._confirmed: set[int] = set()
        self._refused: set[int] = set()
        self._all_up_to = 0

    def watch(self, channel: Any) -> None:
        if not hasattr(channel, "confirm_select"):
            return
        self._counts, self._channel = True, channel
        channel.confirm_select()
        channel.events["basic_ack"].add(self._acked)
        channel.events["basic_nack"].add(self._nacked)
        channel.events["basic_return"].add(self._returned)
        self._buffer = Buffer(channel.connection)

        def counted(
            message: Any,
            exchange: str = "",
            routing_key: str = "",
            mandatory: bool = False,
            immediate: bool = False,
            **timeouts: Any,
        ) -> None:
            self.tag += 1
            self._last = message, (exchange, routing_key, mandatory, immediate)
            # What py-amqp's own does, save that it looks for news of the broker before each message.
            arguments = (0, exchange, routing_key, mandatory, immediate)
            channel.send_method(spec.Basic.Publish, "Bssbb", arguments, message)

        channel.basic_publish = counted

    def pattern(self) -> Pattern | None:
        """After which others like the last message may be made; None where it is not known how."""
        if self._last is None:
            return None
        (message, arguments), self._last = self._last, None
        headers = message.properties.get("application_headers") or {}
        # Those of Celery's second protocol, in a body that is what the serializer made of it.
        is_plain = "argsrepr" in headers and "compression" not in headers and "expiration" not in message.properties
        return Pattern(message, self._channel, arguments) if is_plain else None

    def write(self, frames: bytes) -> None:
        """Publish what a pattern gave."""
        assert self._buffer is not None, "there are no patterns else"
        self.tag += 1
        self._buffer.write_message(frames)

    def has_news(self) -> bool:
        """May the broker have said something? True where it cannot be told."""
        return self._buffer is None or self._buffer.has_news()

    def flush(self) -> None:
        """Send what was published and is not sent yet; raises OSError."""
        if self._buffer is not None:
            self._buffer.flush()

    def has(self, tag: int) -> bool:
        return not self._counts or tag <= self._all_up_to or tag in self._confirmed

    def forget(self) -> None:
        """All that was published so far is settled."""
        self._all_up_to = self.tag
        self._confirmed.clear()
        self._refused.clear()

    def is_nacked(self, tag: int) -> bool:
        return tag in self._refused

    def _acked(self, tag: int, multiple: bool) -> None:
        if multiple:
            self._all_up_to = max(self._all_up_to, tag)
        else:
            self._confirmed.add(tag)

    def _nacked(self, tag: int, multiple: bool) -> None:
        unknown = (one for one in range(self._all_up_to + 1, tag) if not self.has(one))
        self._refused.update({tag}, unknown if multiple else ())

    def _returned(self, error: Exception, exchange: str, routing_key: str, message: Any) -> None:
        self.returned.add(str(message.properties.get("correlation_id")))
