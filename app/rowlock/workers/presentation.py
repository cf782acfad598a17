"""Workers as JSON, the same for the API and the command line."""

from typing import Any

from rowlock.runs.presentation import moment, summary
from rowlock.workers.presence import Present

_FIELDS = ("name", "pool", "concurrency", "slots", "running", "prefetched", "pod", "pid", "version", "draining")


def presented(present: Present) -> dict[str, Any]:
    """All that is shown of a worker."""
    worker = present.worker
    return {
        **{name: getattr(worker, name) for name in _FIELDS},
        "queues": worker.queue_names,
        "gone": present.is_gone,
        "started": moment(worker.started),
        "seen": moment(worker.seen),
        "runs": [summary(run) for run in present.runs],
    }
