"""Publishing many messages over a connection to RabbitMQ in few system calls."""

from typing import Any

from amqp.method_framing import frame_writer

#: Bytes that are gathered at the most.
MOST = 256 * 1024


class Buffer:
    """Gathers what is published over a py-amqp `connection` until `flush`, or until it sends something else.

    py-amqp sends every message by a system call, for which it lets go of the interpreter: a thread that publishes in
    a busy process then waits for its turn after each.
    """

    def __init__(self, connection: Any) -> None:
        self._transport = connection.transport
        self._write_at_once = connection.frame_writer
        self._write_here = frame_writer(connection, self)
        self._parts: list[bytes] = []
        self._size = 0
        connection.frame_writer = self._write_frames

    def write(self, data: Any) -> None:
        """What py-amqp's writer of frames calls."""
        self._parts.append(bytes(data))
        self._size += len(self._parts[-1])

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
