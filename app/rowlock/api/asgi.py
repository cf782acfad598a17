"""The way of a submission over HTTP through Django: the project's middleware and the view, in one thread.

Django's own way under ASGI changes between the event loop and a thread for nearly every middleware, and begins a thread
for each request, whose connection to the database is a new one: that takes several times as long as all else that is
done to accept a run. Here the same middleware runs as it does under WSGI, in threads that stay.

The answer waits for the commit only behind the middleware, which so sees what is answered if the database takes it. The
rare answer that the database failed at the very end is seen by the client alone.
"""

import gc
from contextlib import suppress
from functools import cache
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.core.handlers.asgi import get_script_prefix as prefix_of
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, ResolverMatch, get_script_prefix, reverse, set_script_prefix

from rowlock.api.problems import not_written
from rowlock.api.submission_threads import SubmissionThreads
from rowlock.asgi import Application, Receive, Scope, Send


class SubmissionRequest(ASGIRequest):
    """A request that came this way."""


def with_submissions(application: ASGIHandler) -> Application:
    """`application`, whose submissions of runs go this way; all else goes Django's.

    It must be what `get_asgi_application` gives: what is wrapped around this sees every request.
    """
    handler: _Handler | None = None

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal handler
        if not (scope["type"] == "http" and scope["method"] == "POST" and _is_submission(scope)):
            await application(scope, receive, send)
            return
        if handler is None:
            handler = _Handler()
        await handler.handle(scope, receive, send)

    return dispatch


def _is_submission(scope: Scope) -> bool:
    path = scope["path"].removeprefix(prefix_of(scope).removesuffix("/"))
    return path.removesuffix("/") in _paths() and 0 < _length(scope) <= _longest()


@cache
def _paths() -> frozenset[str]:
    """Those of submissions, without the script's prefix and the last slash; none where the main URLs lack the API."""
    found = []
    with suppress(NoReverseMatch):
        prefix = get_script_prefix().removesuffix("/")
        names = ("submit_run", "submit_batch")
        found = [reverse(f"rowlock-api:{name}").removeprefix(prefix).removesuffix("/") for name in names]
    return frozenset(found)


def _length(scope: Scope) -> int:
    """Bytes of the body; 0 where that is not said, or what it says is no number."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


@cache
def _longest() -> int:
    limit: int | None = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return limit or 2**20


class _Handler(ASGIHandler):
    request_class = SubmissionRequest

    def __init__(self) -> None:
        super().__init__()
        self._matches: dict[str, ResolverMatch] = {}
        self._threads = SubmissionThreads(self._answer, _refusal)

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await _body(receive)
        except RequestAborted:
            return
        # What is accepted is accepted, whether or not the client stays for the answer.
        await self.send_response(await self._threads.answered(scope, body), send)
        _freeze()

    def resolve_request(self, request: Any) -> ResolverMatch:
        if hasattr(request, "urlconf"):
            # Of some middleware's.
            return super().resolve_request(request)
        if (match := self._matches.get(request.path_info)) is None:
            # They are as few as the paths of submissions.
            match = self._matches[request.path_info] = super().resolve_request(request)
        request.resolver_match = match
        return match

    def _answer(self, scope: Scope, body: bytes) -> HttpResponseBase:
        set_script_prefix(prefix_of(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        try:
            request, refusal = self.create_request(scope, BytesIO(body))
            if request is None:
                assert refusal is not None, "one of the two"
                response: HttpResponseBase = refusal
            else:
                response = self.get_response(request)
        except BaseException:
            signals.request_finished.send(sender=self.__class__)
            raise
        # Sends request_finished, which must be here: it closes the connections of its thread.
        response.close()
        return response


@cache
def _freeze() -> None:
    """Keep what this process has loaded by now out of garbage collection, once.

    Each full collection would go through all of it, for a tenth of a second in which no request goes on.
    """
    gc.collect()
    gc.freeze()


def _refusal(accepted: HttpResponseBase, error: Exception) -> HttpResponseBase:
    refusal = not_written(error)
    for name, value in accepted.items():
        # Those of middleware, as for other origins.
        if name != "Location":
            refusal.headers.setdefault(name, value)
    return refusal


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestAborted
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)
