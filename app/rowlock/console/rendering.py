"""Pages, and the fragments of them that htmx asks for again."""

import hashlib
import re
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.template.loader import render_to_string

from rowlock.console import toasts
from rowlock.console.navigation import navigation

THEMES = ("system", "light", "dark")
#: What differs between two renderings of the same: how long ago something was, and the masks of the CSRF token.
_VOLATILE = re.compile(r"(?<=>)[^<]*(?=</time>)|name=\"csrfmiddlewaretoken\" value=\"[^\"]*\"")


def render_page(
    request: HttpRequest, template: str, *, status: HTTPStatus = HTTPStatus.OK, **context: Any
) -> HttpResponse:
    """A whole page: `template` extends rowlock/console/base.html. `here` names its entry in the navigation."""
    theme = request.COOKIES.get("rowlock_theme", "")
    known = {
        "viewer": getattr(request, "viewer", None),
        "user": getattr(request, "user", None),
        "theme": theme if theme in THEMES else THEMES[0],
        "navigation": navigation(getattr(request, "viewer", None)),
        "toasts": toasts.taken(request),
    }
    return HttpResponse(render_to_string(template, {**known, **context}, request), status=status)


def render_fragment(
    request: HttpRequest, template: str, *, status: HTTPStatus = HTTPStatus.OK, **context: Any
) -> HttpResponse:
    """A part of a page. Where the browser has the same already the answer is 304, which changes nothing there."""
    text = render_to_string(template, {"viewer": getattr(request, "viewer", None), **context}, request)
    if told := toasts.taken(request):
        text += render_to_string("rowlock/console/parts/toasts.html", {"toasts": told, "out_of_band": True}, request)
        return HttpResponse(text, status=status)
    if status != HTTPStatus.OK:
        return HttpResponse(text, status=status)
    etag = f'"{hashlib.blake2b(_VOLATILE.sub("", text).encode(), digest_size=12).hexdigest()}"'
    if request.headers.get("If-None-Match") == etag:
        return HttpResponseNotModified(headers={"ETag": etag})
    return HttpResponse(text, headers={"ETag": etag})


def done(request: HttpRequest) -> HttpResponse:
    """The answer to an action that htmx asked for: its toasts, and the live parts of the page look again."""
    told = toasts.taken(request)
    text = render_to_string("rowlock/console/parts/toasts.html", {"toasts": told, "out_of_band": True}, request)
    return HttpResponse(text, headers={"HX-Reswap": "none", "HX-Trigger": "rowlock:done"})


def error_page(request: HttpRequest, status: HTTPStatus, title: str, reason: str, *, advice: str = "") -> HttpResponse:
    """What went wrong: a page, or a toast on the page whose button was pressed.

    `advice` is the command by which an administrator lets somebody in.
    """
    if request.headers.get("HX-Request") == "true":
        told = [toasts.Toast(kind="bad", text=reason)]
        text = render_to_string("rowlock/console/parts/toasts.html", {"toasts": told, "out_of_band": True}, request)
        return HttpResponse(text, status=status, headers={"HX-Reswap": "none"})
    return render_page(request, "rowlock/console/error.html", status=status, title=title, reason=reason, advice=advice)
