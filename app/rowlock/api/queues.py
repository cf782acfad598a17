"""The queues and what waits in them, as the database knows it."""

from typing import Annotated, Any

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router
from pydantic import BaseModel, Field

from rowlock.api.answers import answer, only_parameters
from rowlock.api.authentication import viewer_in
from rowlock.models import UNFINISHED, Run, State
from rowlock.runs import registry
from rowlock.runs.viewer import visible

router = Router(tags=["queues"])


class Queue(BaseModel):
    """A queue and how many of the runs that you may see have not finished."""

    name: str
    known: Annotated[bool, Field(description="False: it has runs, but no route and no setting names it any more.")]
    scheduled: Annotated[int, Field(description="Queued for later.")]
    queued: int
    published: int
    retrying: int
    started: int
    unfinished: int


class QueueList(BaseModel):
    queues: list[Queue]


@router.get("/", response=QueueList)
def list_queues(request: HttpRequest) -> HttpResponse:
    """All queues, with the runs in each that have not finished."""
    only_parameters(request)
    known = set(registry.queue_names())
    counts = _counts(visible(Run.objects.all(), viewer_in(request)))
    return answer(
        {"queues": [_queue(name, name in known, counts.get(name, {})) for name in sorted(known | set(counts))]}
    )


def _counts(runs: QuerySet[Run]) -> dict[str, dict[str, int]]:
    later = Q(state=State.QUEUED, due__gt=timezone.now())
    unfinished = runs.filter(state__in=UNFINISHED).order_by()
    counts: dict[str, dict[str, int]] = {}
    for row in unfinished.values("queue", "state").annotate(all=Count("id"), later=Count("id", filter=later)):
        of_queue = counts.setdefault(row["queue"], {})
        of_queue[State(row["state"]).label] = row["all"] - row["later"]
        of_queue["scheduled"] = of_queue.get("scheduled", 0) + row["later"]
    return counts


def _queue(name: str, known: bool, counts: dict[str, int]) -> dict[str, Any]:
    states = ("scheduled", *(state.label for state in UNFINISHED))
    return {
        "name": name,
        "known": known,
        **{state: counts.get(state, 0) for state in states},
        "unfinished": sum(counts.values()),
    }
