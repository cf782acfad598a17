"""Messages of RabbitMQ made after one that Celery has sent, of which only what differs from run to run is made anew.

For each message Celery, kombu and py-amqp find out and encode two dozen headers and properties, all but a few of which
are the same for all runs of a task.
"""

import struct
from typing import Any

from amqp import spec
from amqp.basic_message import Message
from amqp.serialization import dumps
from celery import Celery, signals
from celery.app.amqp import AMQP
from kombu import Producer

#: The `dispatch_uid` of the one receiver of `before_task_publish` that changes nothing but headers.
HEADERS_ONLY = "rowlock stamps messages"

_FRAME = struct.Struct(">BHI")
_CONTENT = struct.Struct(">HHQ")
_TEXT = struct.Struct(">cI")
_SHORT = struct.Struct(">H")
_METHOD, _HEADER, _BODY = 1, 2, 3
_END = b"\xce"


def may_be_made(app: Celery) -> bool:
    """Whether nobody but Rowlock watches or changes what `app` publishes."""
    if type(app.amqp) is not AMQP or app.conf.task_send_sent_event:
        return False
    mine = all(key[0] == HEADERS_ONLY for key, *_ in signals.before_task_publish.receivers)
    others = signals.after_task_publish.receivers or signals.task_sent.receivers
    return mine and not others and _is_kombus(Producer.publish) and _is_kombus(Producer._publish)


def _is_kombus(method: Any) -> bool:
    # What watches a project may wrap it.
    return method.__module__ == "kombu.messaging" and not hasattr(method, "__wrapped__")


class Pattern:
    """The message of one run, and what is in front of and behind what another run has otherwise."""

    def __init__(self, sent: Message, channel: Any, arguments: tuple[str, str, bool, bool]) -> None:
        properties = sent.properties
        self.headers: dict[str, Any] = dict(properties["application_headers"])
        self._channel = channel
        self._encoded: dict[str, tuple[Any, bytes]] = {}
        method = struct.pack(">HH", *spec.Basic.Publish) + dumps("Bssbb", (0, *arguments))
        self._method = self._frame(_METHOD, method)
        flags, parts = 0, {"": b"", "application_headers": b"", "correlation_id": b""}
        last = ""
        for index, (name, kind) in enumerate(Message.PROPERTIES):
            if (value := properties.get(name)) is None:
                continue
            flags |= 1 << 15 - index
            if name in parts:
                last = name
            else:
                parts[last] += dumps(kind, [value])
        self._before_headers = _SHORT.pack(flags) + parts[""]
        self._before_id, self._after_id = parts["application_headers"], parts["correlation_id"]

    def message(self, own: str, headers: dict[str, Any], body: bytes) -> bytes:
        """The frames of the message with this id and these headers."""
        table = b"".join([self._header(name, value) for name, value in headers.items()])
        text = own.encode()
        content = b"".join(
            (
                _CONTENT.pack(spec.Basic.Publish[0], 0, len(body)),
                self._before_headers,
                len(table).to_bytes(4, "big"),
                table,
                self._before_id,
                len(text).to_bytes(1, "big"),
                text,
                self._after_id,
            )
        )
        # Eight bytes are around each frame.
        longest = self._channel.connection.frame_max - 8
        parts = [self._method, self._frame(_HEADER, content)]
        parts += [self._frame(_BODY, body[start : start + longest]) for start in range(0, len(body), longest)]
        return b"".join(parts)

    def _header(self, name: str, value: Any) -> bytes:
        known = self._encoded.get(name)
        if known is not None and known[0] is value:
            return known[1]
        if type(value) is str:
            text, key = value.encode("utf-8", "surrogatepass"), name.encode()
            return b"".join((len(key).to_bytes(1, "big"), key, _TEXT.pack(b"S", len(text)), text))
        # Behind its length, a table of one is what it has.
        found: bytes = dumps("F", [{name: value}])[4:]
        self._encoded[name] = value, found
        return found

    def _frame(self, kind: int, payload: bytes) -> bytes:
        return b"".join((_FRAME.pack(kind, self._channel.channel_id, len(payload)), payload, _END))
