"""The example's Celery app in a process that is killed at the moment that ROWLOCK_TEST_DIE_AT names.

Moments: `started` (a task is being executed), `ended` (it has, its history is not written), `written` (its history
is, the message not acked).
"""

import os
import signal
from typing import Any

from celery.signals import import_modules, task_prerun

from example.celery import app

MOMENT = os.environ["ROWLOCK_TEST_DIE_AT"]

__all__ = ["app"]


def die(**kwargs: Any) -> None:
    # The worker leads a session of its own, so this is the worker and all its children at once.
    os.killpg(os.getpgrp(), signal.SIGKILL)


def die_around_writing(**kwargs: Any) -> None:
    """Have the history writer die; called once Django is set up and before the worker makes one."""
    from rowlock.celery import history

    class Dying(history.HistoryWriter):
        def _write_batch(self) -> bool:
            if MOMENT == "ended" and self._waiting:
                die()
            return super()._write_batch()

        def _called_back(self, waiting: list[Any]) -> None:
            if MOMENT == "written" and waiting:
                die()
            super()._called_back(waiting)

    history.HistoryWriter = Dying  # type: ignore[misc]  # the worker's step looks it up when it is made


if MOMENT == "started":
    task_prerun.connect(die, weak=False)
else:
    import_modules.connect(die_around_writing, weak=False)
