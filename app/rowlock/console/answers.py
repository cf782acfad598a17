"""What actions answer: done, please confirm, or why not; with htmx and without any script."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django_htmx.http import HttpResponseClientRedirect
from kombu.exceptions import KombuError

from rowlock.console import rendering, toasts
from rowlock.console.access import ConsoleRequest
from rowlock.console.rendering import error_page, render_fragment, render_page

#: What a broker that does not answer raises.
BROKER_ERRORS = (KombuError, OSError)


def done(request: ConsoleRequest, text: str, *, back: str, url: str = "") -> HttpResponse:
    """Say `text`; the page stays and asks for its parts again. Without a script it is the page `back`."""
    toasts.add(request, text, url=url)
    if not request.htmx:
        return HttpResponseRedirect(back)
    return rendering.done(request)


def leave(request: ConsoleRequest, text: str, *, to: str) -> HttpResponse:
    """Say `text` on the page `to`."""
    toasts.add(request, text)
    return HttpResponseClientRedirect(to) if request.htmx else HttpResponseRedirect(to)


def confirm(
    request: ConsoleRequest,
    *,
    title: str,
    text: str,
    label: str,
    action: str,
    back: str,
    danger: bool = False,
    fields: Sequence[tuple[str, Any]] = (),
    template: str = "rowlock/console/parts/dialog.html",
    **context: Any,
) -> HttpResponse:
    """Ask before `action` is posted to: in a dialog, or on a page of its own where there is no script."""
    asked = {
        "title": title,
        "text": text,
        "label": label,
        "action": action,
        "danger": danger,
        "fields": fields,
        **context,
    }
    if request.htmx:
        return render_fragment(request, template, **asked)
    return render_page(request, "rowlock/console/confirm.html", back=back, dialog=template, **asked)


def refused(request: HttpRequest, reason: object, status: HTTPStatus = HTTPStatus.CONFLICT) -> HttpResponse:
    """Nothing was done, and `reason` says why."""
    return error_page(request, status, "Nothing was changed", str(reason))


def no_broker(request: HttpRequest, error: Exception) -> HttpResponse:
    """The broker is needed, and does not answer."""
    return refused(
        request, f"The broker does not answer ({error}); try again when it does.", HTTPStatus.SERVICE_UNAVAILABLE
    )
