"""Accepting a task: a row in the caller's transaction, published once that is committed."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from celery import Task, current_task
from django.db import connection, transaction
from django.utils import timezone

from rowlock.models import Run
from rowlock.models.run import parse_id
from rowlock.outbox import relay
from rowlock.runs import eager
from rowlock.runs.arguments import checked_arguments
from rowlock.runs.errors import KeyConflictError, OptionsError, RunError
from rowlock.runs.inserting import insert
from rowlock.runs.registry import Queues, celery_app, find_task, queue_of

LONGEST_KEY = 200
LONGEST_OWNER = 150
LONGEST_NAME = 255
#: Postgres's last year is far away, Python's is 9999; arithmetic near it overflows.
FARTHEST = timedelta(days=366 * 100)


@dataclass(frozen=True, kw_only=True)
class Submission:
    """One task to accept.

    `key`: submitting again with the same owner and key gives the earlier run. `countdown` and a number for `expires`
    are seconds from now; `eta` and a datetime for `expires` need a time zone. `owner` None is the owner of the task
    that submits, nobody outside of tasks. `parent` None is the task that submits. `headers` go into the message, and
    `exchange` and `routing_key` say where to, instead of the queue's.
    """

    task: str | Task
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    key: str | None = None
    queue: str | None = None
    countdown: float | None = None
    eta: datetime | None = None
    expires: float | datetime | None = None
    priority: int | None = None
    owner: str | None = None
    parent: Run | UUID | str | None = None
    headers: Mapping[str, Any] = field(default_factory=dict)
    exchange: str | None = None
    routing_key: str | None = None


def submit(
    task: str | Task,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    key: str | None = None,
    queue: str | None = None,
    countdown: float | None = None,
    eta: datetime | None = None,
    expires: float | datetime | None = None,
    priority: int | None = None,
    owner: str | None = None,
    parent: Run | UUID | str | None = None,
    headers: Mapping[str, Any] | None = None,
    exchange: str | None = None,
    routing_key: str | None = None,
) -> Run:
    """Accept `task` in the current transaction; it is published when that is committed, never if it is rolled back.

    Only the database is needed: with the broker down the run waits in the outbox. The run's `is_new` is False where
    `key` found an earlier one. The parameters are those of `Submission`. Raises RunErrors (UnknownTaskError,
    ArgumentsError, OptionsError, KeyConflictError), and nothing is accepted then.
    """
    submission = Submission(
        task=task,
        args=args,
        kwargs=kwargs or {},
        key=key,
        queue=queue,
        countdown=countdown,
        eta=eta,
        expires=expires,
        priority=priority,
        owner=owner,
        parent=parent,
        headers=headers or {},
        exchange=exchange,
        routing_key=routing_key,
    )
    return accept(run_of(submission))


def accept(run: Run) -> Run:
    """Write what `run_of` made in the current transaction; publish it after the commit. As `submit`."""
    [accepted] = _insert([run])
    _publish_on_commit([accepted])
    return accepted


def submit_many(submissions: Iterable[Submission]) -> list[Run]:
    """Accept many in one statement, all or none; in the order given.

    As `submit`; the `index` of a RunError is that of the submission at fault.
    """
    return accept_many(runs_of(submissions))


def accept_many(runs: list[Run]) -> list[Run]:
    """Write what `runs_of` made in the current transaction, all or none; publish it after the commit."""
    if not runs:
        return []
    if any(run.key is not None for run in runs):
        with transaction.atomic():
            accepted = _insert(runs)
            _publish_on_commit(accepted)
    else:
        accepted = _insert(runs)
        _publish_on_commit(accepted)
    return accepted


def runs_of(submissions: Iterable[Submission]) -> list[Run]:
    """Runs that are written nowhere yet; raises RunErrors, whose `index` is that of the submission at fault."""
    runs, queues = [], Queues()
    for index, submission in enumerate(submissions):
        try:
            runs.append(run_of(submission, queues))
        except RunError as error:
            error.index = index
            raise
    return runs


def run_of(submission: Submission, queues: Queues | None = None) -> Run:
    """A run that is written nowhere yet; raises RunErrors. `queues` remembers those of the ones before."""
    task = find_task(submission.task) if isinstance(submission.task, str) else submission.task
    now = timezone.now()
    arguments = checked_arguments(task, submission.args, submission.kwargs)
    due = _due(submission, now)
    request = current_task.request if current_task else None
    inherited = (getattr(request, "rowlock", None) or {}).get("owner", "")
    owner = inherited if submission.owner is None else submission.owner
    return Run(
        task=task.name,
        queue=queue_of(
            task,
            _text("queue", submission.queue, LONGEST_NAME),
            submission.args,
            submission.kwargs,
            known=queues,
        ),
        arguments=arguments,
        priority=_priority(submission.priority),
        options=_options(submission),
        owner=_text("owner", owner, LONGEST_OWNER) or "",
        key=_text("key", submission.key, LONGEST_KEY),
        parent_id=_parent(submission.parent, request),
        created=now,
        changed=now,
        due=due,
        publish_after=due or now,
        expires=_expires(task.expires if submission.expires is None else submission.expires, now, due),
    )


def _insert(runs: list[Run]) -> list[Run]:
    # In the order of their keys, or two transactions with the same ones could wait for each other.
    insert(sorted(runs, key=lambda run: (run.key or "", run.owner)), connection)
    keyed = {(run.owner, run.key) for run in runs if run.key is not None}
    found: dict[tuple[str, str | None], Run] = {}
    if keyed:
        keys = {key for _, key in keyed if key is not None}
        stored = Run.objects.filter(key__in=keys, owner__in={owner for owner, _ in keyed})
        found = {(run.owner, run.key): run for run in stored}
    accepted = []
    for index, run in enumerate(runs):
        first = found.get((run.owner, run.key), run) if run.key is not None else run
        if first.id == run.id:
            run.is_new = True
            accepted.append(run)
            continue
        if (first.task, first.arguments) != (run.task, run.arguments):
            error = KeyConflictError(
                f"The key {run.key!r} belongs to the run {first.id} of {first.task}, which has another task or other "
                "arguments. Use a new key for new work."
            )
            error.index = index
            raise error
        accepted.append(first)
    return accepted


def _publish_on_commit(runs: list[Run]) -> None:
    if not any(run.is_new for run in runs):
        return
    if celery_app().conf.task_always_eager:
        transaction.on_commit(lambda: eager.execute([run for run in runs if run.is_new]))
    else:
        transaction.on_commit(relay.wake)


def _due(submission: Submission, now: datetime) -> datetime | None:
    if submission.countdown is not None and submission.eta is not None:
        raise OptionsError("Give either countdown or eta, not both.")
    if submission.countdown is not None:
        return now + _seconds("countdown", submission.countdown, least=0)
    return None if submission.eta is None else _time("eta", submission.eta, now)


def _expires(value: float | datetime | None, now: datetime, due: datetime | None) -> datetime | None:
    if value is None:
        return None
    is_time = isinstance(value, datetime)
    expires = _time("expires", value, now) if is_time else now + _seconds("expires", value, least=0)
    if expires <= (due or now):
        raise OptionsError(f"expires ({expires.isoformat()}) must be after the time at which the task is due.")
    return expires


def _seconds(name: str, value: object, *, least: float) -> timedelta:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < least:
        raise OptionsError(f"{name} must be a number of seconds, {least} or more, not {value!r:.100}.")
    if value > FARTHEST.total_seconds():
        raise OptionsError(f"{name} is more than a hundred years.")
    return timedelta(seconds=value)


def _time(name: str, value: object, now: datetime) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise OptionsError(f"{name} must be a datetime with a time zone, not {value!r:.100}.")
    if value.year > now.year + 100:
        raise OptionsError(f"{name} is more than a hundred years ahead.")
    return value


def _priority(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 255:
        raise OptionsError(f"priority must be a whole number from 0 to 255, not {value!r:.100}.")
    return value


def _options(submission: Submission) -> str:
    given: dict[str, Any] = {"headers": dict(submission.headers)} if submission.headers else {}
    for name in ("exchange", "routing_key"):
        if value := _text(name, getattr(submission, name), LONGEST_NAME):
            given[name] = value
    try:
        return json.dumps(given, allow_nan=False) if given else ""
    except (TypeError, ValueError, RecursionError) as error:
        raise OptionsError(f"headers must be JSON: {error}.") from None


def _text(name: str, value: object, longest: int) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > longest or "\0" in value or not _is_unicode(value):
        raise OptionsError(f"{name} must be text of at most {longest} characters, not {value!r:.100}.")
    if not value and name != "owner":
        raise OptionsError(f"{name} must not be empty; leave it out instead.")
    return value


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _parent(parent: Run | UUID | str | None, request: Any) -> UUID | None:
    if parent is None:
        return parse_id(request.id) if request is not None else None
    found = parent.id if isinstance(parent, Run) else parse_id(parent)
    if found is None:
        raise OptionsError(f"parent must be a run or the id of one, not {parent!r:.100}.")
    return found
