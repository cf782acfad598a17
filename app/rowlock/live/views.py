"""Live views as server-sent events, for programs behind proxies that know nothing of WebSockets."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from http import HTTPStatus

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponseBase, JsonResponse, StreamingHttpResponse

from rowlock.live.messages import HEARTBEAT, Code, EndedError, Message, dumps
from rowlock.live.opening import opened
from rowlock.live.stream import Request, messages

_STATUS = {
    Code.MALFORMED: HTTPStatus.BAD_REQUEST,
    Code.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    Code.NOT_ALLOWED: HTTPStatus.FORBIDDEN,
    Code.NOT_FOUND: HTTPStatus.NOT_FOUND,
}
_HEADERS = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "Bearer"},
    HTTPStatus.METHOD_NOT_ALLOWED: {"Allow": "GET"},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": "5"},
}
#: Milliseconds after which a browser connects again.
_RECONNECT = 2000


async def live(request: HttpRequest) -> HttpResponseBase:
    """Server-sent events of one run, a query or the counts; the parameters and the JSON are those of the WebSocket."""
    if request.method != "GET":
        return _problem(HTTPStatus.METHOD_NOT_ALLOWED, "Live updates are read with GET.")
    if not isinstance(request, ASGIRequest):
        return _problem(
            HTTPStatus.NOT_IMPLEMENTED, "Live updates need an ASGI server; this process runs under WSGI (runserver)."
        )
    try:
        found = await opened(request)
    except EndedError as ended:
        return _problem(_STATUS.get(ended.code, HTTPStatus.SERVICE_UNAVAILABLE), ended.reason)
    return _EventStream(_events(found))


class _EventStream(StreamingHttpResponse):
    """Closes its source when the client goes, which Django leaves to the garbage collector."""

    def __init__(self, source: AsyncGenerator[str, None]) -> None:
        headers = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
        super().__init__(source, content_type="text/event-stream", headers=headers)
        self._source = source

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async with aclosing(self._source):
            async for part in super().__aiter__():
                yield part


async def _events(request: Request) -> AsyncGenerator[str, None]:
    yield f"retry: {_RECONNECT}\n\n"
    try:
        async with aclosing(messages(request)) as found:
            async for message in found:
                yield _event(message)
    except EndedError as ended:
        yield f"data: {dumps({'type': 'closed', 'code': ended.code, 'reason': ended.reason})}\n\n"


def _event(message: Message) -> str:
    # A browser keeps the id of the last event and sends it when it connects again.
    position = "" if message.position is None else f"id: {message.position}\n"
    if message.kind == HEARTBEAT:
        # Without data it moves the browser's place and is no event.
        return f": {HEARTBEAT}\n{position}\n"
    return f"{position}data: {message.text}\n\n"


def _problem(status: HTTPStatus, detail: str) -> JsonResponse:
    body = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    return JsonResponse(body, status=status, headers=_HEADERS.get(status), content_type="application/problem+json")
