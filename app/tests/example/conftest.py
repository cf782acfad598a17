from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Task
from django.db import OperationalError, connection

from example.models import StoredFile
from tests.brokers import use_broker

StoreFile = Callable[..., str]
Run = Callable[..., Any]


@pytest.fixture
def store(db: None) -> StoreFile:
    """Store a file and get its id."""

    def store_file(content: bytes, name: str = "file", content_type: str = "application/octet-stream") -> str:
        return str(
            StoredFile.objects.create(name=name, content_type=content_type, content=content, size=len(content)).id
        )

    return store_file


@pytest.fixture
def run(db: None) -> Run:
    """Run a task as a worker would, in this process; what it raises is raised here."""

    def run_task(task: Task, *args: object, **kwargs: object) -> Any:
        return task.apply(args=args, kwargs=kwargs).get()

    return run_task


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A broker of its own, in a folder: what is published can be looked at."""
    folder = tmp_path / "broker"
    use_broker(f"embedded://{folder}", monkeypatch)
    return folder


@pytest.fixture
def no_database(db: None) -> Iterator[None]:
    """A database that answers no query."""

    def refuse(*args: object) -> None:
        raise OperationalError("the database is away")

    with connection.execute_wrapper(refuse):
        yield


@pytest.fixture
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker at a port where nobody listens."""
    use_broker("amqp://127.0.0.1:1//", monkeypatch)
