"""The tasks that may be submitted."""

from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import BaseModel, Field

from rowlock.api.answers import answer, only_parameters
from rowlock.api.problems import ProblemError
from rowlock.runs import registry
from rowlock.runs.errors import UnknownTaskError

router = Router(tags=["tasks"])


class Parameter(BaseModel):
    name: str
    kind: Annotated[
        Literal["positional", "keyword", "any"], Field(description="Whether it goes into args, kwargs or either.")
    ]
    required: bool
    default: Any
    annotation: str


class TaskDescription(BaseModel):
    """A task, what it says of itself and what it takes."""

    name: str
    doc: str
    queue: str
    parameters: list[Parameter]


class TaskList(BaseModel):
    tasks: list[TaskDescription]


@router.get("/", response=TaskList)
def list_tasks(request: HttpRequest) -> HttpResponse:
    """All registered tasks."""
    only_parameters(request)
    return answer({"tasks": [asdict(registry.describe(name)) for name in registry.task_names()]})


@router.get("/{name}", response=TaskDescription)
def get_task(request: HttpRequest, name: str) -> HttpResponse:
    """One registered task."""
    only_parameters(request)
    try:
        return answer(asdict(registry.describe(name)))
    except UnknownTaskError as error:
        raise ProblemError(HTTPStatus.NOT_FOUND, str(error), kind="unknown-task") from None
