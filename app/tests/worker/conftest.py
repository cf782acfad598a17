from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from tests.processes import Running, running_worker


@pytest.fixture(scope="module")
def worker(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """One prefork worker of the example for all tests of a module, on the same database as they.

    Not for all modules: its relay would publish what other tests submit.
    """
    log: Path = tmp_path_factory.mktemp("worker") / "log"
    with django_db_blocker.unblock(), running_worker(log, "--concurrency", "2") as process:
        yield process
