"""Answers, and what operations share in reading requests."""

import json
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse

from rowlock.api.problems import ProblemError


def answer(data: Any, status: HTTPStatus = HTTPStatus.OK, *, headers: dict[str, str] | None = None) -> HttpResponse:
    """`data` as JSON. The models of the OpenAPI document are for reading; checking each answer would cost more."""
    return HttpResponse(json.dumps(data), content_type="application/json", status=status, headers=headers)


def only_parameters(request: HttpRequest, *known: str) -> None:
    """Raises a problem for other query parameters: a filter that nobody reads would answer with too much."""
    for name in request.GET:
        if name not in known:
            can = f"it can have {', '.join(known)}" if known else "it has none"
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"{request.path} has no parameter {name[:100]!r}; {can}.",
                kind="invalid",
                errors=[{"detail": "is not known", "parameter": name[:100]}],
            )
        if "\0" in request.GET[name]:
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, f"{name} must not contain a zero byte.", kind="invalid")
