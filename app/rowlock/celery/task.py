"""The base class of tasks."""

from typing import Any

from celery.contrib.django.task import DjangoTask
from celery.result import AsyncResult

#: Seconds to wait for the broker to confirm a message. Without a bound, whoever publishes to a broker that has fallen
#: silent waits for ever (amqp/channel.py `basic_publish_confirm`).
CONFIRM_TIMEOUT = 10.0


class Task(DjangoTask):
    """Celery's task for Django, with a bound on how long publishing may take."""

    abstract = True

    def apply_async(self, *args: Any, **options: Any) -> AsyncResult:
        """As Celery's; `confirm_timeout` (seconds) overrides the bound. Raises kombu's OperationalError after it."""
        options.setdefault("confirm_timeout", CONFIRM_TIMEOUT)
        return super().apply_async(*args, **options)
