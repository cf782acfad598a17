"""Who may come into the console, and what they may do there: closed unless a permission opens it."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, ParamSpec, cast

from django.conf import global_settings, settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.http import urlencode
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from rowlock.console import headers
from rowlock.console.rendering import error_page
from rowlock.runs.viewer import Viewer, viewer_of

P = ParamSpec("P")

VIEW = "rowlock.view_run"
SUBMIT = "rowlock.submit_run"
OPERATE = "rowlock.operate_run"
#: The roles that `manage.py rowlock role` gives.
_ROLES = {VIEW: "viewer", SUBMIT: "submitter", OPERATE: "operator"}


class ConsoleRequest(HttpRequest):
    """A request of somebody who may see the console."""

    viewer: Viewer
    htmx: HtmxDetails


View = Callable[Concatenate[ConsoleRequest, P], HttpResponseBase]
DjangoView = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


class RefusedError(Exception):
    """Whoever asks may not do this; the message is for them. `role` is the least one that may."""

    def __init__(self, message: str, *, role: str) -> None:
        super().__init__(message)
        self.role = role


class ConflictError(Exception):
    """What was asked cannot be done as things are; the message is for who asked."""


def page(view: View[P]) -> DjangoView[P]:
    """A view that only shows something."""
    return _opened(view, ("GET", "HEAD"))


def action(view: View[P]) -> DjangoView[P]:
    """A view that changes something; it says by `require` who may."""
    return _opened(view, ("POST",))


def form(view: View[P]) -> DjangoView[P]:
    """A view that shows a form, and takes it; it says by `require` who may."""
    return _opened(view, ("GET", "HEAD", "POST"))


def require(allowed: bool, permission: str, what: str) -> None:
    """Raises RefusedError, which names the permission that `what` needs."""
    if not allowed:
        raise RefusedError(f"To {what} you need the permission {permission}.", role=_ROLES.get(permission, "operator"))


def require_operator(request: ConsoleRequest, what: str) -> None:
    """Raises RefusedError unless whoever asks is an operator."""
    require(request.viewer.may_operate, OPERATE, what)


def _opened(view: View[P], methods: tuple[str, ...]) -> DjangoView[P]:
    @wraps(view)
    def opened(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        return headers.protected(_answer(request, view, methods, *args, **kwargs))

    return cast(DjangoView[P], opened)


def _answer(
    request: HttpRequest, view: Callable[..., HttpResponseBase], methods: tuple[str, ...], *args: Any, **kwargs: Any
) -> HttpResponseBase:
    console = cast(ConsoleRequest, request)
    console.htmx = HtmxDetails(request)
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return _to_login(console)
    console.viewer = viewer_of(user)
    if request.method not in methods:
        return HttpResponseNotAllowed(methods)
    try:
        require(console.viewer.sees_all or console.viewer.may_submit, VIEW, "see the console")
        return view(console, *args, **kwargs)
    except RefusedError as refused:
        advice = f"manage.py rowlock role {user.get_username()} {refused.role}"
        return error_page(request, HTTPStatus.FORBIDDEN, "You may not do this", str(refused), advice=advice)
    except ConflictError as conflict:
        return error_page(request, HTTPStatus.CONFLICT, "This cannot be done", str(conflict))
    except Http404 as missing:
        return error_page(request, HTTPStatus.NOT_FOUND, "There is nothing here", str(missing))


def _to_login(request: ConsoleRequest) -> HttpResponse:
    # What a page fetches behind the scenes is no place to come back to.
    back = (request.htmx.current_url_abs_path or reverse("rowlock-console:overview")) if request.htmx else None
    address = f"{login_url()}?{urlencode({REDIRECT_FIELD_NAME: back or request.get_full_path()})}"
    return HttpResponseClientRedirect(address) if request.htmx else HttpResponseRedirect(address)


def login_url() -> str:
    """That of the project where its settings name one (LOGIN_URL), else the console's own."""
    is_chosen = settings.LOGIN_URL != global_settings.LOGIN_URL
    return resolve_url(settings.LOGIN_URL) if is_chosen else reverse("rowlock-console:login")
