"""A broker that needs no server: queues as folders of files, for trying a project on one machine.

kombu's own filesystem transport forgets a message as soon as a worker has taken it, and a reader can meet a file that
is still being written. Here files appear whole (by rename) and a message stays on disk until it is acked: what a
killed worker had taken is found and delivered again by the next one.

URL: embedded://localhost/absolute/folder
"""

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from kombu.transport import TRANSPORT_ALIASES, virtual

#: Ends the name of a message that was taken before by a process that died.
AGAIN = ".again"


def register() -> None:
    """Teach kombu the scheme `embedded`."""
    TRANSPORT_ALIASES["embedded"] = "rowlock.celery.embedded:Transport"


class QoS(virtual.QoS):
    def ack(self, delivery_tag: str) -> None:
        super().ack(delivery_tag)
        self.channel.discard(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        super().reject(delivery_tag, requeue)
        self.channel.discard(delivery_tag)


class Channel(virtual.Channel):
    QoS = QoS
    supports_fanout = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._root: Path = Path("/") / str(self.connection.client.virtual_host)
        self._taken: Path | None = None
        self._taken_lock: int | None = None
        self._unacked: dict[str, Path] = {}
        self._no_ack_queues: set[str] = set()

    def basic_consume(
        self, queue: str, no_ack: bool, callback: Callable[..., Any], consumer_tag: str, **kwargs: Any
    ) -> None:
        if no_ack:
            self._no_ack_queues.add(queue)
        super().basic_consume(queue, no_ack, callback, consumer_tag, **kwargs)

    def basic_get(self, queue: str, no_ack: bool = False, **kwargs: Any) -> virtual.Message | None:
        message = super().basic_get(queue, no_ack=no_ack, **kwargs)
        if no_ack and message is not None:
            self.discard(message.delivery_tag)
        return message

    def get_table(self, exchange: str) -> list[tuple[str, str, str]]:
        return [tuple(json.loads(file.read_text())) for file in _files(self._bindings(exchange))]

    def discard(self, delivery_tag: str) -> None:
        """Forget a message that was acked, rejected or put back."""
        file = self._unacked.pop(delivery_tag, None)
        if file is not None:
            file.unlink(missing_ok=True)

    def count_unacked(self, queue: str) -> int:
        """Messages of `queue` that anybody on this machine has taken and not settled."""
        prefix = f"{quote(queue, safe='')}@"
        return sum(
            1 for folder in self._root.glob("unacked/*/") for file in _files(folder) if file.name.startswith(prefix)
        )

    def close(self) -> None:
        super().close()
        if self._taken_lock is not None:
            os.close(self._taken_lock)
            self._taken_lock = None

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        self._write(*self._binding(exchange, routing_key, pattern, queue))

    def _put(self, queue: str, payload: dict[str, Any], **kwargs: Any) -> None:
        self._write(self._queue(queue) / f"{time.time_ns()}-{uuid4().hex}", json.dumps(payload))

    def _put_fanout(self, exchange: str, payload: dict[str, Any], routing_key: str, **kwargs: Any) -> None:
        for _, _, queue in self.get_table(exchange):
            self._put(queue, payload)

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        taken = self._taken_folder()
        for file in _files(self._queue(queue)):
            mine = taken / f"{quote(queue, safe='')}@{file.name}"
            try:
                file.rename(mine)
            except FileNotFoundError:
                continue  # another worker was faster
            payload: dict[str, Any] = json.loads(mine.read_text())
            if file.suffix == AGAIN or payload.get("redelivered"):
                payload["properties"]["delivery_info"]["redelivered"] = True
            if queue in self._no_ack_queues:
                mine.unlink()
            else:
                self._unacked[payload["properties"]["delivery_tag"]] = mine
            return payload
        raise Empty

    def _restore(self, message: virtual.Message) -> None:
        super()._restore(message)
        self.discard(message.delivery_tag)

    def _size(self, queue: str) -> int:
        return sum(1 for _ in _files(self._queue(queue)))

    def _purge(self, queue: str) -> int:
        files = list(_files(self._queue(queue)))
        for file in files:
            file.unlink(missing_ok=True)
        return len(files)

    def _delete(self, queue: str, exchange: str, routing_key: str, pattern: str, *args: Any, **kwargs: Any) -> None:
        self._purge(queue)
        file, _ = self._binding(exchange, routing_key, pattern, queue)
        file.unlink(missing_ok=True)

    def _has_queue(self, queue: str, **kwargs: Any) -> bool:
        return self._queue(queue).is_dir()

    def _new_queue(self, queue: str, **kwargs: Any) -> None:
        self._queue(queue).mkdir(parents=True, exist_ok=True)

    def _queue(self, name: str) -> Path:
        return self._root / "queues" / quote(name, safe="")

    def _bindings(self, exchange: str) -> Path:
        return self._root / "exchanges" / quote(f"={exchange}", safe="=")

    def _binding(self, exchange: str, routing_key: str, pattern: str, queue: str) -> tuple[Path, str]:
        text = json.dumps([routing_key or "", pattern or "", queue or ""])
        return self._bindings(exchange) / hashlib.sha256(text.encode()).hexdigest(), text

    def _write(self, file: Path, text: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._root / f"{uuid4().hex}.unfinished"
        unfinished.write_text(text)
        unfinished.rename(file)

    def _taken_folder(self) -> Path:
        if self._taken is None:
            self._put_back_what_the_dead_had_taken()
            folder = self._root / "unacked" / uuid4().hex
            folder.mkdir(parents=True)
            # The lock lasts as long as this process: nothing needs to be cleaned up for it to be given back.
            self._taken_lock = os.open(folder.with_suffix(".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC)
            fcntl.flock(self._taken_lock, fcntl.LOCK_EX)
            self._taken = folder
        return self._taken

    def _put_back_what_the_dead_had_taken(self) -> None:
        for lock in self._root.glob("unacked/*.lock"):
            descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            else:
                folder = lock.with_suffix("")
                for file in _files(folder):
                    queue, _, name = file.name.partition("@")
                    (self._root / "queues" / queue).mkdir(parents=True, exist_ok=True)
                    file.rename((self._root / "queues" / queue / name).with_suffix(AGAIN))
                folder.rmdir()
                lock.unlink()
            finally:
                os.close(descriptor)


class Transport(virtual.Transport):
    Channel = Channel
    # One state for all connections of the process: bindings are on disk, so it holds nothing that could go stale.
    global_state = virtual.BrokerState()
    implements = virtual.Transport.implements.extend(
        asynchronous=False, exchange_type=frozenset(["direct", "topic", "fanout"])
    )
    driver_type = "embedded"
    driver_name = "files"
    default_port = 0
    polling_interval = 0.1

    def driver_version(self) -> str:
        return "1"


def _files(folder: Path) -> Iterator[Path]:
    """The files of `folder`, oldest name first; none where there is no such folder."""
    try:
        yield from sorted(folder.iterdir())
    except FileNotFoundError:
        return
