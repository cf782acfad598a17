"""Publishing many messages over a connection to RabbitMQ in few system calls."""

import select
from collections.abc import Callable
from functools import partial
from typing import Any

from amqp.method_framing import frame_writer

#: Bytes that are gathered at the most.
MOST = 256 * 1024
#: Bytes that are asked for at once, where py-amqp asks for each part of each frame.
AHEAD = 4096


class Buffer:
    """Gathers what is published over a py-amqp `connection` until `flush`, or until it sends something else.

    py-amqp sends every message by a system call, for which it lets go of the interpreter: a thread that publishes in
    a busy process then waits for its turn after each.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._transport = connection.transport
        self._write_at_once = connection.frame_writer
        self._write_here = frame_writer(connection, self)
        self._parts: list[bytes] = []
        self._size = 0
        connection.frame_writer = self._write_frames
        self._transport._quick_recv = partial(_receive, self._transport._quick_recv)

    def write(self, data: Any) -> None:
        """What py-amqp's writer of frames calls."""
        part = bytes(data)
        self._parts.append(part)
        self._size += len(part)

    def write_message(self, frames: bytes) -> None:
        """Publish a message that is encoded already; raises OSError."""
        self.write(frames)
        self._connection.bytes_sent += 1
        if self._size > MOST:
            self.flush()

    def has_news(self) -> bool:
        """Has the broker said something that was not read yet?"""
        transport = self._transport
        if transport._read_buffer or not transport.connected:
            return True
        poll = select.poll()
        poll.register(transport.sock, select.POLLIN)
        # What TLS has decoded already, the kernel has no more.
        return bool(poll.poll(0)) or bool(getattr(transport.sock, "pending", int)())

    def flush(self) -> None:
        """Send what was gathered; raises OSError."""
        parts, self._parts, self._size = self._parts, [], 0
        if parts:
            self._transport.write(b"".join(parts))

    def _write_frames(self, kind: int, channel: int, method: Any, args: Any, content: Any) -> None:
        # Only messages have content. All else may be something whose answer is waited for.
        if content is None:
            self.flush()
            self._write_at_once(kind, channel, method, args, content)
            return
        self._write_here(kind, channel, method, args, content)
        if self._size > MOST:
            self.flush()


def _receive(receive: Callable[[int], bytes], size: int) -> bytes:
    return receive(max(size, AHEAD))
