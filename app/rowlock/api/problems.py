"""Errors as application/problem+json (RFC 9457), whatever they are and wherever they arise."""

import logging
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError, connection, transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from rowlock.runs.errors import (
    ArgumentsError,
    FinishedError,
    KeyConflictError,
    NoSuchRunError,
    NotAllowedError,
    OptionsError,
    QueryError,
    RunError,
    UnknownTaskError,
)
from rowlock.schedules.errors import FromSettingsError, NameTakenError, NoSuchScheduleError

logger = logging.getLogger(__name__)

#: Seconds after which it is worth asking again while the database is down.
RETRY_AFTER = 5
#: A batch may have thousands of mistakes; this many are told.
MOST_MISTAKES = 20

#: Status and kind of the errors about runs; one that is not here is the server's fault.
_RUN_ERRORS: dict[type[RunError], tuple[HTTPStatus, str]] = {
    UnknownTaskError: (HTTPStatus.UNPROCESSABLE_ENTITY, "unknown-task"),
    ArgumentsError: (HTTPStatus.UNPROCESSABLE_ENTITY, "arguments"),
    OptionsError: (HTTPStatus.UNPROCESSABLE_ENTITY, "options"),
    QueryError: (HTTPStatus.UNPROCESSABLE_ENTITY, "query"),
    KeyConflictError: (HTTPStatus.CONFLICT, "key-conflict"),
    FinishedError: (HTTPStatus.CONFLICT, "finished"),
    NoSuchRunError: (HTTPStatus.NOT_FOUND, "no-such-run"),
    NotAllowedError: (HTTPStatus.FORBIDDEN, "not-allowed"),
    NameTakenError: (HTTPStatus.CONFLICT, "name-taken"),
    FromSettingsError: (HTTPStatus.CONFLICT, "from-settings"),
    NoSuchScheduleError: (HTTPStatus.NOT_FOUND, "no-such-schedule"),
}


class ProblemError(Exception):
    """A request that is answered with a problem; `kind` lets programs tell it from others of the same status."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        kind: str = "",
        headers: dict[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.headers = headers
        self.members = members


def problem(
    status: HTTPStatus, detail: str, *, kind: str = "", headers: dict[str, str] | None = None, **members: Any
) -> HttpResponse:
    """An answer that tells what went wrong; `detail` is for the person who made the request."""
    body = {
        "type": f"urn:rowlock:problem:{kind}" if kind else "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        **members,
    }
    return JsonResponse(body, status=status, headers=headers, content_type="application/problem+json")


def answer_with_problems(api: NinjaAPI) -> None:
    """Make `api` answer every exception with a problem."""
    api.add_exception_handler(ProblemError, _told)
    api.add_exception_handler(ValidationError, _invalid)
    api.add_exception_handler(HttpError, _http_error)
    api.add_exception_handler(RunError, _run_error)
    api.add_exception_handler(Http404, _not_found)
    api.add_exception_handler(RequestDataTooBig, _too_large)
    api.add_exception_handler(UnreadablePostError, _unreadable)
    api.add_exception_handler(OperationalError, _database_down)
    api.add_exception_handler(InterfaceError, _database_down)
    api.add_exception_handler(Exception, _unforeseen)


def _told(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(error.status, str(error), kind=error.kind, headers=error.headers, **error.members)


def _invalid(request: HttpRequest, error: Any) -> HttpResponse:
    mistakes = [_mistake(found) for found in error.errors[:MOST_MISTAKES]]
    told = "; ".join(_sentence(mistake) for mistake in mistakes)
    more = len(error.errors) - len(mistakes)
    detail = told + (f"; and {more} more mistakes." if more else ".")
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, kind="invalid", errors=mistakes)


def _mistake(found: dict[str, Any]) -> dict[str, str]:
    source, *path = found["loc"]
    template = _MESSAGES.get(found["type"])
    text = found["msg"] if template is None else template.format(**found.get("ctx", {}))
    detail = (text[:1].lower() + text[1:]).rstrip(".")
    if source == "body":
        # The first step is the name of our own parameter.
        return {"detail": detail, "pointer": "#" + "".join(f"/{_escaped(step)}" for step in path[1:])}
    return {"detail": detail, "parameter": str(path[-1])}


#: Pydantic's words for these speak of Python.
_MESSAGES = {
    "missing": "is missing",
    "none_required": "must be null",
    "model_type": "must be an object",
    "dict_type": "must be an object",
    "model_attributes_type": "must be an object",
    "union_tag_not_found": "needs a {discriminator}",
    "union_tag_invalid": "has the type {tag:.50}; there are {expected_tags}",
    "list_type": "must be a list",
    "string_type": "must be a string",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "is too large a number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "finite_number": "must be a finite number",
}


def _escaped(step: object) -> str:
    return str(step).replace("~", "~0").replace("/", "~1")


def _sentence(mistake: dict[str, str]) -> str:
    place = mistake.get("parameter") or mistake["pointer"].removeprefix("#/")
    return f"{'the body' if place == '#' else place} {mistake['detail']}"


def _http_error(request: HttpRequest, error: Any) -> HttpResponse:
    # ninja's own words replace what a parser raises (ninja/params/models.py `BodyModel.get_request_data`).
    if isinstance(error.__cause__, ProblemError):
        return _told(request, error.__cause__)
    if error.status_code == HTTPStatus.UNAUTHORIZED:
        return unauthorized("Log in, or send `Authorization: Bearer <token>`.")
    return problem(HTTPStatus(error.status_code), str(error))


def unauthorized(detail: str) -> HttpResponse:
    """Nobody is known to ask."""
    return problem(HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": "Bearer"})


def _run_error(request: HttpRequest, error: Any) -> HttpResponse:
    for kind_of_error in type(error).__mro__:
        if kind_of_error in _RUN_ERRORS:
            status, kind = _RUN_ERRORS[kind_of_error]
            index = getattr(error, "index", None)
            members = {} if index is None else {"index": index}
            detail = str(error) if index is None else f"runs/{index}: {error}"
            return problem(status, detail, kind=kind, **members)
    return _unforeseen(request, error)


def _not_found(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(HTTPStatus.NOT_FOUND, f"There is nothing at {request.path[:200]}.")


def _too_large(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "The body is larger than this server takes (DATA_UPLOAD_MAX_MEMORY_SIZE); send less at once.",
    )


def _unreadable(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(HTTPStatus.BAD_REQUEST, "The body ended before it was complete.")


def not_written(error: Exception) -> HttpResponse:
    """For a submission that all was well with until the database was to take it."""
    if isinstance(error, OperationalError | InterfaceError):
        logger.warning("a submission was not written: the database does not answer: %s", error)
        return _try_later()
    logger.error("a submission was not written", exc_info=error)
    return _failed()


def _database_down(request: HttpRequest, error: Any) -> HttpResponse:
    logger.warning("%s %s: the database does not answer: %s", request.method, request.path, error)
    _roll_back()
    return _try_later()


def _unforeseen(request: HttpRequest, error: Any) -> HttpResponse:
    logger.error("%s %s failed", request.method, request.path, exc_info=error)
    # What collects errors listens to this signal, which Django sends for exceptions that reach it.
    got_request_exception.send(sender=None, request=request)
    _roll_back()
    return _failed()


def _try_later() -> HttpResponse:
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The database does not answer; the same request may work later.",
        headers={"Retry-After": str(RETRY_AFTER)},
    )


def _failed() -> HttpResponse:
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The server failed; its log has the reason.")


def _roll_back() -> None:
    # With ATOMIC_REQUESTS Django would commit, as it never hears of the exception.
    if connection.settings_dict["ATOMIC_REQUESTS"] and connection.in_atomic_block:
        transaction.set_rollback(True)
