"""Celery's events of a worker, which never hold up its main loop.

Every two seconds the main loop sends a `worker-heartbeat`, events switched on or not. Celery has it wait for a confirm
and try again without end, so that a broker which falls silent takes the whole worker with it. Events may be lost.
"""

from typing import Any

from celery.events import dispatcher


class Dispatcher(dispatcher.EventDispatcher):
    def enable(self) -> None:
        super().enable()
        if self.channel is None and self.producer is not None:
            # A connection of its own: on this channel alone, publish as if no confirms had been asked for.
            vars(self.producer.channel).pop("basic_publish", None)

    def _publish(self, *args: Any, retry: bool = False, **kwargs: Any) -> None:
        super()._publish(*args, retry=False, **kwargs)
