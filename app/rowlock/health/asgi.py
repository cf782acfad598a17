"""Health and metrics of a web process: the same event loop as its pages, told apart by the port a request came to."""

import asyncio

from asgiref.sync import sync_to_async

from rowlock.asgi import Application, Receive, Scope, Send
from rowlock.conf import health_address
from rowlock.health.exposition import exposition
from rowlock.health.report import Report, answer


def with_health(application: Application) -> Application:
    """Wrap an ASGI application so that requests to the health port get health and metrics, all others the application.

    The port is that of the listening socket, not of a header, so nobody reaches the one through the other.
    """
    port = health_address().port

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        server = scope.get("server")
        if scope["type"] == "http" and server is not None and server[1] == port:
            await _health(scope, send)
        else:
            await application(scope, receive, send)

    return dispatch


async def _health(scope: Scope, send: Send) -> None:
    path = scope["path"]
    if path == "/metrics":
        accept = dict(scope["headers"]).get(b"accept", b"").decode("latin-1")
        # In a thread: many series take a while to write down, and pages are served meanwhile.
        await _send(send, 200, *await asyncio.to_thread(exposition, accept))
        return
    # Answering at all shows that the loop turns; only readiness looks further, so a lost database restarts nothing.
    problem = await sync_to_async(_database_problem)() if path == "/readyz" else ""
    report = Report(started=True, ready=not problem, alive=True, detail=problem or "ok")
    satisfied = answer(path, report)
    if satisfied is None:
        await _send(send, 404, "text/plain", b"there are /livez, /readyz, /startupz and /metrics\n")
    else:
        await _send(send, 200 if satisfied else 503, "text/plain", f"{report.detail}\n".encode())


def _database_problem() -> str:
    from django.db import DatabaseError, connection

    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return f"database: {error}"
    finally:
        connection.close()
    return ""


async def _send(send: Send, status: int, content_type: str, body: bytes) -> None:
    headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
