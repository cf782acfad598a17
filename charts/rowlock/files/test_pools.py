"""Send a task to every queue of every pool, and wait for the results.

The task is `celery.accumulate`, which every Celery application has.
Usage: test_pools.py MODULE:ATTRIBUTE POOL=QUEUE,...
"""

import importlib
import sys
import time
from pathlib import Path
from typing import Any

from celery import Celery
from celery.backends.base import DisabledBackend

PATIENCE = 120.0


def load(reference: str) -> Celery:
    module, _, attribute = reference.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    app = getattr(importlib.import_module(module), attribute or "app")
    assert isinstance(app, Celery), f"{reference} is not a Celery application but {app!r}"
    return app


def send(app: Celery, queue: str) -> Any:
    return app.send_task("celery.accumulate", args=(1, 2), queue=queue, expires=PATIENCE, ignore_result=False)


def outcome(result: Any, deadline: float) -> tuple[bool, str]:
    try:
        value = result.get(timeout=max(0.1, deadline - time.monotonic()))
    except Exception as error:  # whatever it is, it belongs in the report of this queue
        return False, f"{type(error).__name__}: {error}"
    return list(value) == [1, 2], f"returned {value!r}"


def main() -> None:
    app = load(sys.argv[1])
    pools = [argument.split("=", 1) for argument in sys.argv[2:]]
    if isinstance(app.backend, DisabledBackend):
        sys.exit(
            "This Celery application has no result backend, so nothing can tell whether a task was run. "
            "Set `result_backend` (to REDIS_URL, say) to use this test."
        )
    sent = [(pool, queue, send(app, queue)) for pool, queues in pools for queue in queues.split(",")]
    deadline = time.monotonic() + PATIENCE
    failed = []
    for pool, queue, result in sent:
        done, what = outcome(result, deadline)
        print(f"{'ok    ' if done else 'FAILED'} pool {pool}, queue {queue}: {what}", flush=True)
        result.forget()
        if not done:
            failed.append(queue)
    if failed:
        sys.exit(f"No good answer from {', '.join(failed)}: see the workers' logs.")
    print(f"Every queue answered: {len(sent)} tasks.")


if __name__ == "__main__":
    main()
