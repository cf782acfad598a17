import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils import timezone

from rowlock.models.identifier import new_id
from rowlock.models.state import State

#: Made once: json.dumps makes one for each call.
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


class Run(models.Model):
    """One task that was accepted, and all that is known of it.

    Times of a run that was accepted here are the accepting process's clock; all later ones are the database's.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    task = models.CharField(max_length=255)
    queue = models.CharField(max_length=255)
    #: Was it made by the very call that returned this object, rather than found by its key?
    is_new = False

    #: JSON text, not a JSON column: Postgres's would reorder keys and refuse a zero byte. Empty where the task was
    #: started by other code with arguments that are not JSON.
    arguments = models.TextField(default='{"args":[],"kwargs":{}}')
    priority = models.SmallIntegerField(null=True)
    #: More options of Celery's apply_async (headers, exchange, routing_key), as JSON text; empty for none.
    options = models.TextField(default="", db_default="")
    owner = models.CharField(max_length=150, default="")
    key = models.CharField(max_length=200, null=True)  # noqa: DJ001 - unique among those that have one
    parent_id = models.UUIDField(null=True)
    retry_of = models.UUIDField(null=True)

    state = models.SmallIntegerField(choices=State, default=State.QUEUED)
    created = models.DateTimeField(default=timezone.now)
    due = models.DateTimeField(null=True)
    expires = models.DateTimeField(null=True)
    published = models.DateTimeField(null=True)
    started = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)
    #: The last change of anything, by the database's clock: what live views follow.
    changed = models.DateTimeField(default=timezone.now)

    #: How often publishing was tried; more than once means that the message may exist twice.
    attempts = models.SmallIntegerField(default=0)
    #: A queued run is published when this has passed.
    publish_after = models.DateTimeField(default=timezone.now)
    #: Workers ask the database before they start this run: it was cancelled, or its message may exist twice.
    check_first = models.BooleanField(default=False)
    #: When somebody asked to cancel it, whatever became of that.
    cancel_requested = models.DateTimeField(null=True)

    deliveries = models.SmallIntegerField(default=0)
    retries = models.SmallIntegerField(default=0)
    worker = models.CharField(max_length=255, default="")
    progress_done = models.FloatField(null=True)
    progress_total = models.FloatField(null=True)
    progress_message = models.CharField(max_length=500, default="")
    #: JSON text; null while there is none. `result_note` says why one is missing.
    result = models.TextField(null=True)  # noqa: DJ001 - no result is not an empty one
    result_note = models.CharField(max_length=255, default="")
    error_type = models.CharField(max_length=255, default="")
    error_message = models.TextField(default="")
    traceback = models.TextField(default="")

    class Meta:
        ordering = ["-created", "-id"]
        permissions = [
            ("submit_run", "Can submit tasks"),
            ("operate_run", "Operator: can retry and cancel everybody's runs and change schedules"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["key", "owner"], name="rowlock_run_key", condition=Q(key__isnull=False))
        ]
        indexes = [
            models.Index(fields=["-created", "-id"], name="rowlock_run_newest"),
            # Nearly all runs succeed in the end; they would make it the most expensive one to keep.
            models.Index(
                fields=["state", "-created", "-id"], name="rowlock_run_state", condition=~Q(state=State.SUCCEEDED)
            ),
            models.Index(fields=["task", "-created", "-id"], name="rowlock_run_task"),
            models.Index(fields=["queue", "-created", "-id"], name="rowlock_run_queue"),
            models.Index(fields=["owner", "-created", "-id"], name="rowlock_run_owner", condition=~Q(owner="")),
            models.Index(
                fields=["error_type", "-created", "-id"],
                name="rowlock_run_error",
                condition=~Q(error_type="") & ~Q(state=State.SUCCEEDED),
            ),
            models.Index(fields=["publish_after"], name="rowlock_run_outbox", condition=Q(state=State.QUEUED)),
            models.Index(
                fields=["expires"],
                name="rowlock_run_expires",
                condition=Q(expires__isnull=False, state__in=(State.QUEUED, State.PUBLISHED)),
            ),
            models.Index(fields=["changed"], name="rowlock_run_check_first", condition=Q(check_first=True)),
            models.Index(fields=["changed"], name="rowlock_run_changed"),
            models.Index(fields=["parent_id"], name="rowlock_run_parent", condition=Q(parent_id__isnull=False)),
            models.Index(fields=["retry_of"], name="rowlock_run_retry_of", condition=Q(retry_of__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.id}"

    @property
    def args(self) -> list[Any]:
        args: list[Any] = json.loads(self.arguments)["args"] if self.arguments else []
        return args

    @property
    def kwargs(self) -> dict[str, Any]:
        kwargs: dict[str, Any] = json.loads(self.arguments)["kwargs"] if self.arguments else {}
        return kwargs

    @property
    def result_value(self) -> Any:
        """What the task returned; None without a result."""
        return None if self.result is None else json.loads(self.result)

    @property
    def is_scheduled(self) -> bool:
        """Is it queued for later?"""
        return self.state == State.QUEUED and self.due is not None and self.due > timezone.now()


def canonical_arguments(args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """The text of `Run.arguments`; equal arguments have equal text.

    Raises TypeError and ValueError on what is not JSON.
    """
    return _CANONICAL.encode({"args": list(args), "kwargs": dict(kwargs)})


def parse_id(value: object) -> UUID | None:
    """The UUID that `value` is or spells, None for anything else."""
    if isinstance(value, UUID):
        return value
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
