import json
import logging
import math
from http import HTTPStatus
from typing import Any, NoReturn

from celery import states
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from example.celery import app
from example.files import parse_id
from example.problems import only, problem, unavailable
from example.publishing import ArgumentsError, BrokerDownError, UnknownTaskError, publish, startable

logger = logging.getLogger(__name__)

DEFAULT_TASK = "example.tasks.basic.add"
DEFAULT_ARGS = [2, 3]


class BodyError(ValueError):
    """The body is not what the view takes; the message says what it expects."""

    def __init__(self, detail: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(detail)
        self.status = status


# There is no session to misuse here, and other sites' pages cannot send application/json without asking first.
@csrf_exempt
@only("POST")
def start_task(request: HttpRequest) -> HttpResponse:
    """Start the task that the JSON body names; without a body, add 2 and 3."""
    try:
        name, args, kwargs = _requested(request)
        return JsonResponse({"task_id": publish(startable(name), args, kwargs)}, status=HTTPStatus.ACCEPTED)
    except BodyError as error:
        return problem(error.status, str(error))
    except UnknownTaskError as error:
        return problem(HTTPStatus.NOT_FOUND, str(error))
    except ArgumentsError as error:
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
    except BrokerDownError as error:
        return unavailable(str(error))


@never_cache
@only("GET", "HEAD")
def get_result(request: HttpRequest, task_id: str) -> HttpResponse:
    """State and result of a task. A task that nobody has heard of is PENDING, as Celery has it."""
    if parse_id(task_id) is None:
        return problem(HTTPStatus.BAD_REQUEST, f"{task_id[:100]!r} is not the id of a task, which is a UUID.")
    result = app.AsyncResult(task_id.lower())
    try:
        # One read for both: between two a task may end, and the result would not be that of the state.
        meta = result.backend.get_task_meta(result.id)
    except Exception as error:  # each backend has its own errors for being down
        logger.warning("the result of %s cannot be read: %r", result.id, error)
        return unavailable("The result cannot be read: the result backend does not answer.")
    return JsonResponse(
        {"task_id": result.id, "status": meta["status"], "result": _presentable(meta["status"], meta["result"])}
    )


def _requested(request: HttpRequest) -> tuple[str, list[Any], dict[str, Any]]:
    try:
        body = request.body
    except RequestDataTooBig:
        raise BodyError(
            "The body is too large; upload files to /files/.", HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        ) from None
    if not body:
        return DEFAULT_TASK, DEFAULT_ARGS, {}
    if request.content_type != "application/json":
        raise BodyError("Send the body as Content-Type: application/json.", HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    return _parsed(body)


def _parsed(body: bytes) -> tuple[str, list[Any], dict[str, Any]]:
    try:
        data = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BodyError(f"The body is not JSON: {error}.") from None
    if not isinstance(data, dict) or not isinstance(data.get("task"), str):
        raise BodyError('The body must be an object like {"task": "example.tasks.basic.add", "args": [2, 3]}.')
    if unknown := sorted(data.keys() - {"task", "args", "kwargs"}):
        raise BodyError(f"The body may have task, args and kwargs, not {', '.join(unknown)[:200]}.")
    args, kwargs = data.get("args", []), data.get("kwargs", {})
    if not isinstance(args, list) or not isinstance(kwargs, dict):
        raise BodyError("args must be a list and kwargs an object.")
    return data["task"], args, kwargs


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _presentable(status: str, result: Any) -> Any:
    if isinstance(result, BaseException):
        return f"{type(result).__name__}: {result}".removesuffix(": ")
    # While a task runs Celery keeps there which process runs it, which is nobody's business outside.
    return None if status == states.STARTED else _json_safe(result)


def _json_safe(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _json_safe(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_json_safe(inner) for inner in value]
    if isinstance(value, float):
        # JSON has no word for infinity.
        return value if math.isfinite(value) else str(value)
    return value if value is None or isinstance(value, str | int) else str(value)
