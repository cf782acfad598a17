"""The dead letters: messages that were given up and wait in the broker for somebody to look at them."""

from collections.abc import Callable, Collection
from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import BaseModel, ConfigDict, Field

from rowlock import audit
from rowlock.api.answers import answer, only_parameters
from rowlock.api.operating import NeedsBroker, operator_in, seer_in
from rowlock.api.problems import ProblemError
from rowlock.broker.topology import DEAD_QUEUE
from rowlock.redaction import hides_arguments
from rowlock.runs import dead_letters

router = Router(tags=["dead letters"])


class DeadLetter(BaseModel):
    id: Annotated[str, Field(description="Of the task.")]
    task: str
    queue: str
    reason: str
    arguments: Annotated[str | None, Field(description="As Celery shows them; null where they are redacted.")]


class DeadLetterList(BaseModel):
    dead_letters: list[DeadLetter]


class DeadLettersIn(BaseModel):
    """Either ids or all."""

    model_config = ConfigDict(extra="forbid")

    ids: Annotated[list[str], Field(max_length=1000)] = []
    all: Literal[True] | None = None


class Retried(BaseModel):
    retried: int


class Dropped(BaseModel):
    dropped: int


@router.get("/", response=DeadLetterList)
def list_dead_letters(request: HttpRequest, limit: Annotated[int, Query(ge=1, le=500)] = 100) -> HttpResponse:
    """The first of them, the oldest first. They stay."""
    only_parameters(request, "limit")
    seer_in(request, "see the dead letters")
    with NeedsBroker():
        letters = dead_letters.look(limit)
    hidden = {letter.task: hides_arguments(letter.task) for letter in letters}
    return answer(
        {
            "dead_letters": [
                {**asdict(letter), **({"arguments": None} if hidden[letter.task] else {})} for letter in letters
            ]
        }
    )


@router.post("/retry", response=Retried)
def retry_dead_letters(request: HttpRequest, body: DeadLettersIn) -> HttpResponse:
    """Have them executed again: a run by a new one, any other message by putting it back into its queue."""
    return answer({"retried": _settle(request, body, "retry", dead_letters.retry)})


@router.post("/drop", response=Dropped)
def drop_dead_letters(request: HttpRequest, body: DeadLettersIn) -> HttpResponse:
    """Forget them."""
    return answer({"dropped": _settle(request, body, "drop", dead_letters.drop)})


def _settle(request: HttpRequest, body: DeadLettersIn, verb: str, act: Callable[[Collection[str] | None], int]) -> int:
    only_parameters(request)
    viewer = operator_in(request, f"{verb} dead letters")
    if bool(body.ids) == bool(body.all):
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY, 'Name dead letters either by "ids" or by "all": true.', kind="invalid"
        )
    with NeedsBroker():
        settled = act(None if body.all else set(body.ids))
    if settled:
        target = body.ids[0] if len(body.ids) == 1 else DEAD_QUEUE
        audit.record(
            actor=viewer.name, action=verb, kind="dead letters", target=target, detail={"count": settled}, via="api"
        )
    return settled
