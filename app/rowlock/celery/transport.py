"""A worker's connection to RabbitMQ, which takes and gives many messages with one system call.

py-amqp asks the kernel for each part of each frame (header, payload, end), and sets the socket's timeout before and
after: two dozen system calls for a message, where one has brought it and those behind it. And it sends each ack by
itself (amqp/transport.py, amqp/connection.py).
"""

import struct
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from amqp import spec
from kombu.transport import pyamqp

#: Bytes that are asked for at once; what is left of them is copied for each frame, so no more.
AHEAD = 16 * 1024
_HEAD = struct.Struct(">BHI")
_END = 0xCE
_METHOD = 1
#: Type, channel and size of the frame, class and method, delivery tag, `multiple`, end.
_ACK = struct.Struct(">BHIHHQBB")
_ACK_SIZE = _ACK.size - _HEAD.size - 1


class Connection(pyamqp.Connection):
    """Reads ahead."""

    def connect(self, *args: Any, **kwargs: Any) -> Any:
        connected = super().connect(*args, **kwargs)
        transport = self.transport
        transport._quick_recv = partial(_receive, transport._quick_recv)
        return connected

    def blocking_read(self, timeout: float | None = None) -> Any:
        transport = self.transport
        if not self.has_frame():
            return super().blocking_read(timeout)
        buffer = transport._read_buffer
        kind, channel, size = _HEAD.unpack_from(buffer)
        end = _HEAD.size + size
        transport._read_buffer = buffer[end + 1 :]
        return self.on_inbound_frame((kind, channel, buffer[_HEAD.size : end]))

    def has_frame(self) -> bool:
        """Has a whole frame arrived? One that is broken is py-amqp's to refuse."""
        buffer = self.transport._read_buffer
        if len(buffer) <= _HEAD.size:
            return False
        end: int = _HEAD.size + _HEAD.unpack_from(buffer)[2]
        return len(buffer) > end and buffer[end] == _END


class _Arrivals:
    """What kombu's main loop drains: all that has arrived.

    Not so whoever waits for an answer, who has something to do before the messages behind it are handled.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def connected(self) -> bool:
        return bool(self._connection.connected)

    def drain_events(self, timeout: float) -> None:
        connection = self._connection
        connection.drain_events(timeout=timeout)
        while connection.transport is not None and connection.has_frame():
            connection.blocking_read(timeout)


class Transport(pyamqp.Transport):
    """What a worker's kombu.Connection is made of."""

    Connection = Connection

    def _make_reader(self, connection: Any, *args: Any, **kwargs: Any) -> Callable[[Any], None]:
        reader: Callable[[Any], None] = super()._make_reader(_Arrivals(connection), *args, **kwargs)
        return reader


def use_for(connection: Any) -> None:
    """Have a kombu.Connection that has not connected yet be one to RabbitMQ that reads ahead, if it is to RabbitMQ."""
    if connection.get_transport_cls() is pyamqp.Transport:
        # Not `transport_cls`, which is a part of the URL that logs show.
        connection.get_transport_cls = lambda: Transport


def ack(messages: Iterable[Any]) -> None:
    """Ack messages of connections that read ahead; where nothing else writes to them. Raises what py-amqp does."""
    frames: dict[Any, list[bytes]] = {}
    for message in messages:
        channel = message.channel
        tag = message.delivery_tag
        frame = _ACK.pack(_METHOD, channel.channel_id, _ACK_SIZE, *spec.Basic.Ack, tag, 0, _END)
        frames.setdefault(channel.connection, []).append(frame)
        message._state = "ACK"
    for connection, parts in frames.items():
        # A channel that was closed with its connection has none.
        if connection is not None and connection.transport is not None:
            connection.transport.write(b"".join(parts))
            connection.bytes_sent += len(parts)


def _receive(receive: Callable[[int], bytes], size: int) -> bytes:
    return receive(max(size, AHEAD))
