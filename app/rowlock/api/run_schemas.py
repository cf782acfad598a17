"""What requests about runs carry and what they are answered, for the OpenAPI document and for checking bodies."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from rowlock.api.fields import Body, Moment, RunId, Seconds, Text, Time, TimeOrSeconds

#: Runs that one batch may have.
MOST_IN_A_BATCH = 10_000

StateName = Literal["queued", "published", "retrying", "started", "cancelled", "expired", "failed", "succeeded"]


class SubmissionIn(Body):
    """One task to run. Submitting again with the same key gives the same run."""

    task: Annotated[str, Field(description="Name of a registered task, as in GET tasks/.")]
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    key: Annotated[str | None, Field(description="Yours to choose: no two of your runs have the same.")] = None
    queue: Annotated[str | None, Field(description="One of GET queues/; the task's own without it.")] = None
    countdown: Annotated[Seconds | None, Field(description="Seconds to wait before it runs.")] = None
    eta: Annotated[Time | None, Field(description="When to run it, instead of countdown.")] = None
    expires: Annotated[
        TimeOrSeconds | None, Field(description="When it is not worth starting any more: a time, or seconds from now.")
    ] = None
    priority: Annotated[int | None, Field(description="0 to 255.")] = None
    parent: Annotated[RunId | None, Field(description="The run that this one belongs to.")] = None


class BatchIn(Body):
    """Many tasks to run: all are accepted, or none."""

    runs: Annotated[list[SubmissionIn], Field(min_length=1, max_length=MOST_IN_A_BATCH)]


class BulkIn(Body):
    """Which runs to change. Without `expect` they are only counted."""

    q: Annotated[Text, Field(description="A query as in GET runs/; it must not be empty.")]
    expect: Annotated[
        int | None, Field(ge=0, description="The count that you were told: more runs than that are never changed.")
    ] = None


class Progress(BaseModel):
    done: float
    total: float | None
    message: str


class ErrorSummary(BaseModel):
    type: str
    message: str | None


class ErrorDetail(ErrorSummary):
    traceback: str | None


class RunSummary(BaseModel):
    """A run, without what may be large."""

    id: UUID
    task: str
    queue: str
    state: StateName
    scheduled: Annotated[bool, Field(description="Queued for later.")]
    owner: str
    key: str | None
    parent: UUID | None
    retry_of: UUID | None
    priority: int | None
    created: Moment
    due: Moment | None
    expires: Moment | None
    published: Moment | None
    started: Moment | None
    finished: Moment | None
    cancel_requested: Moment | None
    changed: Moment
    attempts: Annotated[int, Field(description="How often publishing was tried.")]
    deliveries: Annotated[int, Field(description="How often a worker was given it.")]
    retries: int
    worker: str
    progress: Progress | None
    error: ErrorSummary | None


class RunDetail(RunSummary):
    """All that is known of a run."""

    args: list[Any] | None
    kwargs: dict[str, Any] | None
    result: Any
    result_note: Annotated[str, Field(description="Why there is no result.")]
    error: ErrorDetail | None
    arguments_redacted: bool
    result_redacted: bool


class RunPage(BaseModel):
    runs: list[RunSummary]
    next: Annotated[str | None, Field(description="The cursor of the next page; null on the last one.")]
    searched_until: Annotated[
        Moment | None,
        Field(
            description="Set where the page is not full because only the runs accepted since then were looked at; "
            "`next` goes on with older ones."
        ),
    ]


class Accepted(BaseModel):
    id: UUID
    key: str | None
    is_new: Annotated[bool, Field(description="False: its key found an earlier run.")]


class BatchAccepted(BaseModel):
    runs: Annotated[list[Accepted], Field(description="In the order of the request.")]


class RunProgress(BaseModel):
    id: UUID
    state: StateName
    finished: Moment | None
    changed: Moment
    progress: Progress | None


class RunResult(BaseModel):
    id: UUID
    state: StateName
    finished: Moment | None
    result: Any
    result_note: str
    result_redacted: bool
    error: ErrorDetail | None


class ExecutionLog(BaseModel):
    """What one execution logged; a message that is delivered twice is executed twice, as the same attempt."""

    attempt: Annotated[int, Field(description="1 for the first, one more for each retry.")]
    worker: str
    text: Annotated[str, Field(description="A line for each record; tracebacks are more.")]
    cut: Annotated[int, Field(description="Bytes that were left out in the middle.")]
    changed: Moment


class RunLogs(BaseModel):
    id: UUID
    redacted: Annotated[bool, Field(description="True: what this task logs is neither kept nor shown.")]
    executions: list[ExecutionLog]


class Cancelled(BaseModel):
    was: Annotated[
        Literal["queued", "scheduled", "published", "started", "retrying"], Field(description="Its state before.")
    ]
    run: RunSummary


class BulkCount(BaseModel):
    """How many runs the query finds now. Nothing was changed."""

    count: int


class BulkCancelled(BaseModel):
    cancelled: Annotated[int, Field(description="How many were cancelled.")]
    by_state: Annotated[dict[str, int], Field(description="How many of them were in which state.")]


class BulkRetried(BaseModel):
    retried: Annotated[int, Field(description="How many new runs were made.")]


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: Annotated[str, Field(description='"about:blank", or a URN that tells errors of one status apart.')]
    title: str
    status: int
    detail: Annotated[str, Field(description="What is wrong and what to do.")]
    index: Annotated[int, Field(description="Which run of a batch is at fault.")] = 0
    errors: Annotated[
        list[dict[str, str]], Field(description="Each mistake: `detail`, and its `pointer` or `parameter`.")
    ] = []
