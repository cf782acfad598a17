"""The queues: what the broker and the history know of each, and pausing, resuming and purging one."""

from http import HTTPStatus
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import BaseModel, ConfigDict, Field

from rowlock.api.answers import answer, only_parameters
from rowlock.api.authentication import viewer_in
from rowlock.api.operating import NeedsBroker, operator_in
from rowlock.api.problems import ProblemError
from rowlock.queues.depths import queue_states
from rowlock.queues.pausing import LONGEST_REASON, pause, resume
from rowlock.queues.presentation import presented, presented_pause
from rowlock.queues.purging import CountError, purge

router = Router(tags=["queues"])


class Paused(BaseModel):
    by: str
    since: str
    reason: str


class Queue(BaseModel):
    """A queue: what the broker holds of it, and how many of the runs that you may see have not finished.

    What is null is not known: the broker did not answer, or not that.
    """

    name: str
    known: Annotated[bool, Field(description="False: it has runs, but no route and no setting names it any more.")]
    paused: Paused | None
    ready: Annotated[int | None, Field(description="Messages that wait in the broker.")]
    unacked: Annotated[int | None, Field(description="Messages that workers hold, started or not.")]
    consumers: int | None
    rate_in: Annotated[float | None, Field(description="Messages a second that come.")]
    rate_out: Annotated[float | None, Field(description="Messages a second that are done with.")]
    oldest_seconds: Annotated[float | None, Field(description="How long the run that waits longest has waited.")]
    scheduled: Annotated[int, Field(description="Queued for later.")]
    queued: int
    published: int
    retrying: int
    started: int
    unfinished: int


class QueueList(BaseModel):
    queues: list[Queue]


class PauseIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(max_length=LONGEST_REASON, description="For the others who wonder.")] = ""


class Resumed(BaseModel):
    was_paused: bool


class PurgeIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    expect: Annotated[int, Field(ge=0, description="The number of ready messages that you have seen.")]


class Purged(BaseModel):
    """What was done within ten seconds; where `left` is not 0, send that as `expect` to go on."""

    messages: int
    cancelled: Annotated[int, Field(description="Runs that were cancelled.")]
    foreign: Annotated[int, Field(description="Messages of which the history knows no run; they are gone.")]
    left: int


@router.get("/", response=QueueList)
def list_queues(request: HttpRequest) -> HttpResponse:
    """All queues."""
    only_parameters(request)
    return answer({"queues": [presented(state) for state in queue_states(viewer_in(request))]})


@router.post("/{name}/pause", response=Paused)
def pause_queue(request: HttpRequest, name: str, body: PauseIn | None = None) -> HttpResponse:
    """Have no worker take anything from a queue until it is resumed. What runs goes on."""
    only_parameters(request)
    viewer = operator_in(request, "pause a queue")
    return answer(presented_pause(pause(name, actor=viewer.name, via="api", reason=body.reason if body else "")))


@router.post("/{name}/resume", response=Resumed)
def resume_queue(request: HttpRequest, name: str) -> HttpResponse:
    """Have workers take from a queue again."""
    only_parameters(request)
    viewer = operator_in(request, "resume a queue")
    return answer({"was_paused": resume(name, actor=viewer.name, via="api")})


@router.post("/{name}/purge", response=Purged)
def purge_queue(request: HttpRequest, name: str, body: PurgeIn) -> HttpResponse:
    """Take the messages out of a queue and cancel their runs, those that workers hold excepted.

    Are there more than you expect, the answer is 409 with their `count`, and nothing was purged.
    """
    only_parameters(request)
    viewer = operator_in(request, "purge a queue")
    try:
        with NeedsBroker():
            purged = purge(name, expect=body.expect, actor=viewer.name, via="api")
    except CountError as error:
        raise ProblemError(HTTPStatus.CONFLICT, str(error), kind="count", count=error.count) from None
    return answer({field: getattr(purged, field) for field in Purged.model_fields})
