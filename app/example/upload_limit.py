"""Refuses a request body that is too large while it comes in, before Django writes all of it to the disk."""

import json

from rowlock.asgi import Application, Message, Receive, Scope, Send

#: How many times the limit is read and thrown away before an answer. A client that is still sending when the
#: connection closes sees a broken connection and not the answer.
PATIENCE = 20


class TooLargeError(Exception):
    """More of the body came than may."""


def with_upload_limit(application: Application, limit: int) -> Application:
    """Wrap an ASGI application so that bodies of more than `limit` bytes are answered with 413."""

    async def limited(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"")
        if declared.isdigit() and int(declared) > limit:
            await _refuse(receive, send, limit)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise TooLargeError
            return message

        try:
            await application(scope, counted, send)
        except TooLargeError:
            await _refuse(receive, send, limit)

    return limited


async def _refuse(receive: Receive, send: Send, limit: int) -> None:
    discarded, more = 0, True
    while more and discarded < PATIENCE * limit:
        message = await receive()
        discarded += len(message.get("body", b""))
        more = message.get("more_body", False)
    problem = {
        "type": "about:blank",
        "title": "Content Too Large",
        "status": 413,
        "detail": f"A request may have {limit // 1024**2} MiB at the most (UPLOAD_LIMIT_MB sets it).",
    }
    headers = [(b"content-type", b"application/problem+json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(problem).encode()})
