"""Celery's prefork pool, with less to do for its parent process between one task and the next.

For every task Celery's own writes to a child's pipe twice, which wakes the child twice, adds the pipe to the event loop
and takes it out again, and reads each of the child's two messages in two parts, after each of which it is added anew.
Here a task that fits is one write, at once where a child is idle, and all that a child has said is read together.
"""

import os
import pickle
import select
import struct
from collections import deque
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

from celery import bootsteps
from celery.concurrency import prefork
from celery.concurrency.asynpool import AsynPool
from celery.concurrency.asynpool import ResultHandler as CelerysResultHandler

#: Bytes that are asked for at once.
AT_ONCE = 16 * 1024
#: Before each message, in both directions, its size.
_SIZE = struct.Struct(">I")


class ResultHandler(CelerysResultHandler):
    """Reads what children say."""

    def _make_process_result(self, hub: Any) -> Callable[[int], None]:
        return lambda fd: self._read(hub, fd)

    def _read(self, hub: Any, fd: int) -> None:
        if fd not in self.fileno_to_outq:
            hub.remove_reader(fd)
            return
        try:
            data = os.read(fd, AT_ONCE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            hub.remove_reader(fd)
            return
        messages, rest = _split(data)
        if rest:
            # As Celery's: when it shuts down, it looks whether there is a generator to be run to its end.
            hub.add_reader(fd, self._read_on(hub, fd, bytearray(rest)))
        self._pass_on(hub, messages)

    def _read_on(self, hub: Any, fd: int, data: bytearray) -> Iterator[None]:
        """Read until the message is whole that `data` begins, and no further."""
        while missing := _missing(data):
            try:
                more = os.read(fd, missing)
            except BlockingIOError:
                yield
                continue
            if not more:
                raise EOFError("end of file during message")
            data += more
        hub.add_reader(fd, self.handle_event, fd)
        self._pass_on(hub, deque([bytes(data[_SIZE.size :])]))

    def _pass_on(self, hub: Any, messages: deque[bytes]) -> None:
        try:
            while messages:
                # Children send None before they end.
                if (message := pickle.loads(messages.popleft())) is not None:  # noqa: S301 - this worker's own child
                    self.on_state_change(message)
        finally:
            if messages:
                # What one of them raised is for the event loop, the others are handled all the same.
                hub.call_soon(self._pass_on, hub, messages)


class Pool(AsynPool):
    """Writes tasks to children."""

    ResultHandler = ResultHandler

    def _create_write_handlers(self, hub: Any, *args: Any, **kwargs: Any) -> None:
        def remove_writer(fd: int) -> None:
            # Asked for idle children in each turn of the loop: where there is none, it is a system call in vain.
            if fd in hub.writers:
                hub.remove_writer(fd)

        used = SimpleNamespace(add=hub.add, add_writer=hub.add_writer, remove=hub.remove, remove_writer=remove_writer)
        super()._create_write_handlers(used, *args, **kwargs)
        hub.consolidate_callback = used.consolidate_callback
        self._quick_put = lambda task: self._put(task, used.consolidate_callback)

    def _put(self, task: Any, write: Callable[[list[int]], None]) -> None:
        body = pickle.dumps(task, protocol=pickle.HIGHEST_PROTOCOL)
        header = _SIZE.pack(len(body))
        job = self._cache[task[1][0]]
        if len(header) + len(body) <= select.PIPE_BUF:
            # A pipe takes so much wholly or not at all.
            job._payload = memoryview(header + body), memoryview(b""), 0
        else:
            job._payload = memoryview(header), memoryview(body), len(body)
        self.outbound_buffer.append(job)
        idle = self._all_inqueues - self._busy_workers - self._active_writes
        if idle:
            write([idle.pop()])


class TaskPool(prefork.TaskPool):
    """What `--pool prefork` is."""

    Pool = Pool


class Prefork(bootsteps.Step):
    """Puts this pool in the place of Celery's."""

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        # Before any step makes it. A pool that a project has made is left alone.
        if worker.pool_cls is prefork.TaskPool:
            worker.pool_cls = TaskPool


def _missing(data: bytes | bytearray, start: int = 0) -> int:
    """How many bytes are to be read at least until the message at `start` is whole; what follows it is negative."""
    given = len(data) - start
    if given < _SIZE.size:
        return _SIZE.size - given
    return int(_SIZE.unpack_from(data, start)[0]) + _SIZE.size - given


def _split(data: bytes) -> tuple[deque[bytes], bytes]:
    """The messages that are whole, and the beginning of one that is not."""
    messages: deque[bytes] = deque()
    start = 0
    while start < len(data) and _missing(data, start) <= 0:
        end = start + _SIZE.size + _SIZE.unpack_from(data, start)[0]
        messages.append(data[start + _SIZE.size : end])
        start = end
    return messages, data[start:]
