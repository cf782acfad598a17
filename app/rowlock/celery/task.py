"""The base class of tasks."""

from typing import Any

from celery.canvas import Signature
from celery.contrib.django.task import DjangoTask
from celery.exceptions import Reject
from celery.result import AsyncResult

from rowlock.celery.queues import queue_of

#: Seconds to wait for the broker to confirm a message. Without a bound, whoever publishes to a broker that has fallen
#: silent waits for ever (amqp/channel.py `basic_publish_confirm`).
CONFIRM_TIMEOUT = 10.0


class Task(DjangoTask):
    """Celery's task for Django, with a bound on how long publishing may take."""

    abstract = True
    Request = "rowlock.celery.request:Request"
    #: Commit what the task does in the default database together with its success: delivered twice, it does nothing the
    #: second time. `@shared_task(atomic=True)`.
    atomic = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__dict__.get("atomic"):
            cls.__call__ = _call_atomically  # only here: Celery is slower with one

    def apply_async(self, *args: Any, **options: Any) -> AsyncResult:
        """As Celery's; `confirm_timeout` (seconds) overrides the bound. Raises kombu's OperationalError after it."""
        options.setdefault("confirm_timeout", CONFIRM_TIMEOUT)
        return super().apply_async(*args, **options)

    def retry(self, *args: Any, **options: Any) -> Any:
        """As Celery's, but where the broker does not take the retry, this message is put back and not dropped."""
        try:
            return super().retry(*args, **options)
        except Reject as rejected:
            raise Reject(rejected.reason, requeue=True) from rejected

    def signature_from_request(self, request: Any = None, *args: Any, **options: Any) -> Signature:
        """As Celery's, for a retry: into the queue that this message came from.

        Celery itself would route a delayed one anew, by the task's name (celery/app/base.py `send_task`).
        """
        request = self.request if request is None else request
        queue = queue_of(request.delivery_info)
        if queue in self.app.amqp.queues and not options.keys() & {"queue", "exchange", "routing_key"}:
            options["queue"] = queue
        if mark := getattr(request, "rowlock", None):
            options["headers"] = {**(request.headers or {}), "rowlock": mark, **(options.get("headers") or {})}
        return super().signature_from_request(request, *args, **options)


def _call_atomically(self: Task, *args: Any, **kwargs: Any) -> Any:
    from rowlock.runs.once import once

    return once(self.request.id, self.run, args, kwargs)
