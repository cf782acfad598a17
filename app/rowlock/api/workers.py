"""The workers there are, and what each executes."""

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import BaseModel, Field

from rowlock.api.answers import answer, only_parameters
from rowlock.api.operating import seer_in
from rowlock.api.run_schemas import RunSummary
from rowlock.workers.presence import list_workers
from rowlock.workers.presentation import presented

router = Router(tags=["workers"])


class Worker(BaseModel):
    """A worker, as it told about every ten seconds."""

    name: str
    pool: Annotated[str, Field(description="The chart's name of its pool.")]
    concurrency: Annotated[str, Field(description="prefork, threads, gevent, eventlet or solo.")]
    queues: list[str]
    slots: int
    running: int
    prefetched: Annotated[int, Field(description="Messages that it holds and has not started.")]
    pod: str
    pid: int
    version: Annotated[str, Field(description="Of rowlock.")]
    draining: Annotated[bool, Field(description="It was told to end and finishes what runs.")]
    gone: Annotated[bool, Field(description="It has said nothing for a minute.")]
    started: str
    seen: str
    runs: Annotated[list[RunSummary], Field(description="Those that it executes, by the history.")]


class WorkerList(BaseModel):
    workers: list[Worker]


@router.get("/", response=WorkerList)
def list_all_workers(request: HttpRequest) -> HttpResponse:
    """All workers that were seen within a day and did not end cleanly."""
    only_parameters(request)
    seer_in(request, "see the workers")
    return answer({"workers": [presented(present) for present in list_workers()]})
