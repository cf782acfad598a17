"""Answers, and what operations share in reading requests."""

from difflib import get_close_matches
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from rowlock.api.problems import ProblemError
from rowlock.runs.errors import OptionsError


def answer(data: Any, status: HTTPStatus = HTTPStatus.OK, *, headers: dict[str, str] | None = None) -> HttpResponse:
    """`data` as JSON. The models of the OpenAPI document are for reading; checking each answer would cost more."""
    return JsonResponse(data, status=status, headers=headers, safe=False)


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


def unknown_queue(queue: str, known: list[str]) -> OptionsError:
    """Nobody works on `queue`: publishing would make it, and no worker would ever take from it."""
    near = get_close_matches(queue, known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(known)}."
    return OptionsError(f"There is no queue {queue[:100]!r}. {hint} (ROWLOCK['QUEUES'] adds one.)")
