import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from example.celery import app
from tests.brokers import use_broker

Broker = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Broker:
    """A broker of files of its own; called, it gives the headers of all messages in it."""
    folder = tmp_path / "broker"
    use_broker(f"embedded://localhost{folder}", monkeypatch)

    def headers() -> list[dict[str, Any]]:
        return [json.loads(file.read_text())["headers"] for file in sorted(folder.glob("queues/*/*"))]

    return headers


@pytest.fixture
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker at a port where nobody listens."""
    use_broker("amqp://127.0.0.1:1//", monkeypatch)


@pytest.fixture
def queue() -> Iterator[str]:
    """A queue of RabbitMQ that is deleted afterwards."""
    name = f"outbox-{uuid4().hex}"
    yield name
    with app.connection_for_write() as connection:
        connection.default_channel.queue_delete(name)
