import json
import logging
from http import HTTPStatus
from typing import Any, NoReturn

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from example.files import parse_id
from example.problems import DATABASE_DOWN, only, problem, unavailable
from example.results import BackendDownError, outcome_of
from rowlock import runs
from rowlock.runs.errors import KeyConflictError, RunError, UnknownTaskError

logger = logging.getLogger(__name__)

DEFAULT_TASK = "example.tasks.basic.add"
DEFAULT_ARGS = [2, 3]


class BodyError(ValueError):
    """The body is not what the view takes; the message says what it expects."""

    def __init__(self, detail: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(detail)
        self.status = status


# Other sites' pages cannot send application/json without asking first, nor do session cookies come with what they send.
@csrf_exempt
@only("POST")
def start_task(request: HttpRequest) -> HttpResponse:
    """Start the task that the JSON body names; without a body, add 2 and 3.

    Only the database is needed. A second request with the same Idempotency-Key gets the task of the first.
    """
    try:
        name, args, kwargs = _requested(request)
        key = request.headers.get("Idempotency-Key")
        run = runs.submit(name, args, kwargs, key=key, owner=request.user.get_username())
    except BodyError as error:
        return problem(error.status, str(error))
    except UnknownTaskError as error:
        return problem(HTTPStatus.NOT_FOUND, str(error))
    except KeyConflictError as error:
        return problem(HTTPStatus.CONFLICT, str(error))
    except RunError as error:
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
    except DATABASE_DOWN as error:
        logger.warning("a task was not accepted: %s", error)
        return unavailable("The task was not accepted: the database does not answer.")
    return JsonResponse({"task_id": str(run.id)}, status=HTTPStatus.ACCEPTED if run.is_new else HTTPStatus.OK)


@never_cache
@only("GET", "HEAD")
def get_result(request: HttpRequest, task_id: str) -> HttpResponse:
    """State and result of a task. A task that nobody has heard of is PENDING, as Celery has it."""
    parsed = parse_id(task_id)
    if parsed is None:
        return problem(HTTPStatus.BAD_REQUEST, f"{task_id[:100]!r} is not the id of a task, which is a UUID.")
    try:
        return JsonResponse({"task_id": str(parsed), **outcome_of(parsed)})
    except BackendDownError:
        return unavailable("The result cannot be read: the result backend does not answer.")
    except DATABASE_DOWN as error:
        logger.warning("the run %s cannot be read: %s", parsed, error)
        return unavailable("The result cannot be read: the database does not answer.")


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
