"""URLs of the HTTP API: `path("api/", include("rowlock.api.urls"))`.

What else a project has below the same prefix must come before this.
"""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.utils.cache import add_never_cache_headers
from django.utils.http import http_date
from django.views.decorators.csrf import csrf_exempt

from rowlock.api.application import build
from rowlock.api.problems import problem

View = Callable[..., HttpResponse]


def _finished(view: View) -> View:
    """What ninja leaves to do after its views: problems for wrong methods, and nothing in caches."""

    # ninja's views are exempt from CSRF protection by an attribute, which `wraps` copies.
    @wraps(view)
    def finished(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if isinstance(response, HttpResponseNotAllowed):
            allowed = ", ".join(sorted(response.headers["Allow"].split(", ")))
            detail = f"{request.path} takes {allowed}, not {request.method}."
            response = problem(HTTPStatus.METHOD_NOT_ALLOWED, detail, headers={"Allow": allowed})
        if response.headers.keys().isdisjoint(("Cache-Control", "Expires")):
            # As add_never_cache_headers, which takes longer than the database for a run.
            response.headers["Cache-Control"] = "max-age=0, no-cache, no-store, must-revalidate, private"
            response.headers["Expires"] = http_date()
        else:
            add_never_cache_headers(response)
        return response

    return finished


def _home(request: HttpRequest) -> HttpResponse:
    return redirect("rowlock-api:openapi-view")


@csrf_exempt
def _nothing_here(request: HttpRequest, rest: str) -> HttpResponse:
    return problem(HTTPStatus.NOT_FOUND, f"There is nothing at {request.path[:200]}; GET docs has all there is.")


def _patterns() -> list[URLPattern | URLResolver]:
    patterns, app_name, namespace = build().urls
    found: list[URLPattern] = []
    twins: list[URLPattern] = []
    for pattern in patterns:
        assert isinstance(pattern, URLPattern)
        route = str(pattern.pattern)
        pattern.callback = _finished(pattern.callback) if route else _home
        found.append(pattern)
        if route:
            # With and without the last slash: a redirect would lose the body.
            twins.append(path(route.removesuffix("/") if route.endswith("/") else f"{route}/", pattern.callback))
    return [
        path("live/", include("rowlock.live.urls")),
        path("", ([*found, *twins], app_name, namespace)),
        re_path("^(?P<rest>.*)$", _nothing_here),
    ]


urlpatterns = _patterns()
