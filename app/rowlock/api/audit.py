"""The audit log."""

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import BaseModel, Field

from rowlock import audit
from rowlock.api.answers import answer, only_parameters
from rowlock.api.operating import operator_in
from rowlock.runs.errors import QueryError

router = Router(tags=["audit"])


class Entry(BaseModel):
    """Somebody did something to something."""

    id: int
    moment: str
    actor: str
    action: str
    kind: str
    target: str
    detail: dict[str, Any]
    via: Annotated[str, Field(description="console, api, cli or admin.")]


class EntryPage(BaseModel):
    entries: list[Entry]
    next: Annotated[str | None, Field(description="The cursor of the next page; null on the last one.")]


class Wanted(BaseModel):
    """Which entries."""

    actor: str = ""
    kind: str = ""
    target: str = ""
    cursor: Annotated[str | None, Field(description="`next` of the page before.")] = None
    limit: Annotated[int, Field(ge=1, le=500)] = 50


@router.get("/", response=EntryPage)
def list_audit_entries(request: HttpRequest, wanted: Query[Wanted]) -> HttpResponse:
    """Who did what, newest first."""
    only_parameters(request, *Wanted.model_fields)
    operator_in(request, "see the audit log")
    try:
        page = audit.page(**wanted.model_dump())
    except ValueError as error:
        raise QueryError(str(error)) from None
    return answer({"entries": [audit.presented(entry) for entry in page.entries], "next": page.next})
