"""The base class of tasks."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from celery.canvas import Signature
from celery.contrib.django.task import DjangoTask
from celery.exceptions import Reject
from celery.result import AsyncResult
from celery.utils.time import maybe_make_aware

from rowlock.celery import fan_out, queues

#: Seconds to wait for the broker to confirm a message. Without a bound, whoever publishes to a broker that has fallen
#: silent waits for ever (amqp/channel.py `basic_publish_confirm`).
CONFIRM_TIMEOUT = 10.0
#: Seconds that an ETA must be away to be still a whole one away when Celery looks.
MARGIN = 1.2


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
        options.update(_deliverable_delay(options.get("countdown"), options.get("eta")))
        if (options.get("countdown") or options.get("eta")) and options.get("exchange") and not options.get("queue"):
            # Celery itself would delay it into the default queue (celery/app/base.py `send_task`).
            options["queue"] = queues.behind(options["exchange"], options.get("routing_key") or "")
        return super().apply_async(*args, **options)

    def retry(self, *args: Any, **options: Any) -> Any:
        """As Celery's, but where the broker does not take the retry, this message is put back and not dropped."""
        try:
            return super().retry(*args, **options)
        except Reject as rejected:
            raise Reject(rejected.reason, requeue=True) from rejected

    def fan_out(
        self, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None, *, pool: str = fan_out.DEFAULT_POOL
    ) -> None:
        """Have every worker of `pool` that is connected now execute this task once, in one of its processes.

        For what each must do for itself: drop a cache, load a model anew. It is neither in the history nor has it a
        result. Raises kombu's OperationalError.
        """
        fan_out.publish(self, args, kwargs, pool=pool)

    def signature_from_request(self, request: Any = None, *args: Any, **options: Any) -> Signature:
        """As Celery's, for a retry: into the queue that this message came from.

        Celery itself would route a delayed one anew, by the task's name (celery/app/base.py `send_task`).
        """
        request = self.request if request is None else request
        if not options.keys() & {"queue", "exchange", "routing_key"}:
            later = bool(options.get("countdown") or options.get("eta"))
            queue = queues.again(self.app, request.delivery_info, later=later)
            if queue is not None:
                options["queue"] = queue
        if mark := getattr(request, "rowlock", None):
            options["headers"] = {**(request.headers or {}), "rowlock": mark, **(options.get("headers") or {})}
        return super().signature_from_request(request, *args, **options)


def _deliverable_delay(countdown: float | None, eta: datetime | str | None) -> dict[str, Any]:
    """What replaces a delay of less than a second, with which Celery refuses to publish into a quorum queue.

    The broker delays by whole seconds, which Celery rounds down (celery/app/base.py `send_task`).
    """
    if countdown is not None:
        return {"countdown": 1} if 0 < countdown < 1 else {}
    if eta is None:
        return {}
    moment = datetime.fromisoformat(eta) if isinstance(eta, str) else eta
    remaining = (maybe_make_aware(moment) - datetime.now(UTC)).total_seconds()
    # Some time passes before Celery looks at its clock.
    return {"eta": None, "countdown": MARGIN} if 0 < remaining < MARGIN else {}


def _call_atomically(self: Task, *args: Any, **kwargs: Any) -> Any:
    from rowlock.runs.once import once

    return once(self.request.id, self.run, args, kwargs)
