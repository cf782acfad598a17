"""The bootstep by which a worker writes the history of its runs, and what else its parent process does for them."""

from typing import Any

from celery import bootsteps
from celery.utils.log import get_logger
from celery.worker import state

logger = get_logger(__name__)

#: Seconds that a worker which ends gives to the history of its last tasks.
FLUSH_PATIENCE = 10.0


class History(bootsteps.StartStopStep):
    """Writes the history of this worker's runs, cancels those that people cancel, and relays."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        # Imported late: models need Django's apps.
        from rowlock.celery.history import HistoryWriter
        from rowlock.celery.result_writer import ResultWriter
        from rowlock.runs.log_capture import send_logs_to
        from rowlock.runs.reporting import send_progress_to

        # Before the pool forks, so that its processes inherit the way to it.
        self._worker = worker
        worker.app.rowlock_history = self._history = HistoryWriter(
            self._cancel, worker=worker.hostname, results=ResultWriter(worker.app), is_supplied=self._is_supplied
        )
        send_progress_to(self._history.send_progress)
        send_logs_to(self._history.send_log)

    def start(self, worker: Any) -> None:
        from rowlock.conf import settings
        from rowlock.outbox import relay

        self._history.start()
        if worker.hub is not None:
            # The hub closes after the pool has ended and then runs what was left to it: the last acks.
            worker.hub.on_close.add(self._flush)
        if settings().relay:
            relay.start(worker.app)

    def stop(self, worker: Any) -> None:
        self._flush()

    def _flush(self, *_: Any) -> None:
        if not self._history.flush(seconds=FLUSH_PATIENCE):
            logger.error("the history could not be written; tasks that have ended are delivered again")

    def _is_supplied(self) -> bool:
        slots = getattr(self._worker, "rowlock_slots", None)
        return slots is not None and slots.first_waiting is not None

    def _cancel(self, id: str) -> None:
        consumer = getattr(self._worker, "consumer", None)
        if consumer is not None:
            consumer.call_soon(_cancel, consumer, id)
        else:
            state.revoked.add(id)


def _cancel(consumer: Any, id: str) -> None:
    # As Celery's own remote control does it (celery/worker/control.py `revoke`).
    state.revoked.add(id)
    for request in [request for request in state.active_requests if request.id == id]:
        try:
            request.terminate(consumer.pool, signal="TERM")
        except NotImplementedError:
            logger.warning("%s was cancelled while it ran; only a prefork pool can stop a running task", id)
