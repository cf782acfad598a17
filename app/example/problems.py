"""Errors of the JSON API as application/problem+json (RFC 9457)."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponseBase, JsonResponse

#: What Django raises while the database does not answer.
DATABASE_DOWN = (OperationalError, InterfaceError)

View = Callable[..., HttpResponseBase]


def problem(status: HTTPStatus, detail: str, *, headers: dict[str, str] | None = None) -> JsonResponse:
    """An answer that tells what went wrong; `detail` is for the person who made the request."""
    return JsonResponse(
        {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail},
        status=status,
        headers=headers,
        content_type="application/problem+json",
    )


def unavailable(detail: str, *, retry_after: int = 5) -> JsonResponse:
    """A service behind this one is down; the same request may work later."""
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": str(retry_after)})


def only(*methods: str) -> Callable[[View], View]:
    """Refuse other methods than `methods`."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if request.method in methods:
                return view(request, *args, **kwargs)
            allowed = ", ".join(methods)
            detail = f"{request.path} takes {allowed}, not {request.method}."
            return problem(HTTPStatus.METHOD_NOT_ALLOWED, detail, headers={"Allow": allowed})

        return checked

    return decorate
