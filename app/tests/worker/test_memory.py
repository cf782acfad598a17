import sys
from pathlib import Path
from uuid import uuid4

import pytest

from example.celery import app
from tests.processes import running, wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]


def test_a_child_shares_most_of_its_memory_with_its_worker(tmp_path: Path) -> None:
    queue = f"memory-{uuid4().hex}"
    command = ["celery", "-A", "tests.worker.collecting:app", "worker", "--queues", queue, "--concurrency", "1"]
    with running([*command, "--hostname", f"{queue}@%h"], tmp_path / "log") as worker:
        wait_until("the worker is ready", lambda: worker.probe("/readyz") == 200)

        share = app.send_task("tests.own_share", queue=queue).get(timeout=120)

    assert share < 0.4, f"{share:.0%} of the child's memory is its own"
