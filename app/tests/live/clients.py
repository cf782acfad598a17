"""Clients of live views within the process of the test."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.core.asgi import get_asgi_application
from django.db import connection
from django.db.models.functions import Now

from rowlock.asgi import Application, Scope
from rowlock.asgi import Message as Event
from rowlock.live.asgi import with_live
from rowlock.live.threads import in_database
from rowlock.models import Run
from tests.runs.factory import make_run

T = TypeVar("T")
Headers = dict[str, str]

PATIENCE = 20


def run(scenario: Coroutine[Any, Any, T]) -> T:
    """Run a scenario on an event loop of its own; it is ended when it hangs."""

    async def bounded() -> T:
        async with asyncio.timeout(120):
            return await scenario

    return asyncio.run(bounded())


async def make(**fields: Any) -> Run:
    return await in_database(lambda: make_run(**fields))


async def change(run: Run, **fields: Any) -> None:
    """Change a run as its history does: `changed` is the database's time."""
    await in_database(lambda: Run.objects.filter(id=run.id).update(changed=Now(), **fields))


async def change_all(runs: list[Run], **fields: Any) -> None:
    """Change them in one statement, so that all are seen at once."""
    ids = [run.id for run in runs]
    await in_database(lambda: Run.objects.filter(id__in=ids).update(changed=Now(), **fields))


@asynccontextmanager
async def without_runs() -> AsyncIterator[None]:
    """Within the block every look at the runs is an error of the database."""

    def rename(before: str, after: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {before} RENAME TO {after}")

    await in_database(lambda: rename("rowlock_run", "rowlock_run_away"))
    try:
        yield
    finally:
        await in_database(lambda: rename("rowlock_run_away", "rowlock_run"))


async def _call(application: Application, scope: Scope, opened: "Socket") -> None:
    await application(scope, opened._to_application.get, opened._to_client.put)


class Socket:
    """A WebSocket of an ASGI application, without a server."""

    #: The one of those offered that the server took.
    subprotocol: str | None = None

    def __init__(self, application: Application, scope: Scope) -> None:
        self._to_application: asyncio.Queue[Event] = asyncio.Queue()
        self._to_client: asyncio.Queue[Event] = asyncio.Queue()
        self._serving = asyncio.ensure_future(_call(application, scope, self))

    async def open(self) -> None:
        await self.happens("websocket.connect")
        accepted = await self.event()
        assert accepted["type"] == "websocket.accept", accepted
        self.subprotocol = accepted["subprotocol"]

    async def close(self) -> None:
        await self.happens("websocket.disconnect", code=1000)
        async with asyncio.timeout(PATIENCE):
            await self._serving

    async def happens(self, event: str, **details: Any) -> None:
        """What a server tells the application."""
        await self._to_application.put({"type": event, **details})

    async def event(self) -> Event:
        """The next thing that the application does."""
        async with asyncio.timeout(PATIENCE):
            return await self._to_client.get()

    async def anything(self) -> dict[str, Any]:
        """The next message."""
        event = await self.event()
        assert event["type"] == "websocket.send", f"a message was expected: {event}"
        message: dict[str, Any] = json.loads(event["text"])
        return message

    async def next(self) -> dict[str, Any]:
        """The next message that is not a heartbeat."""
        return await self.until("anything", lambda message: bool(message["type"] != "heartbeat"))

    async def until(self, what: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first message for which `holds`; the others are in the error when none comes."""
        seen = []
        try:
            while True:
                seen.append(await self.anything())
                if holds(seen[-1]):
                    return seen[-1]
        except TimeoutError:
            raise AssertionError(f"no message: {what}; there came {seen}") from None

    async def until_run(self, run: Run, state: str) -> dict[str, Any]:
        """What a message says of `run`, from the first that has it in `state`."""

        def says(message: dict[str, Any]) -> list[dict[str, Any]]:
            runs = [*message.get("runs", []), *([message["run"]] if "run" in message else [])]
            return [told for told in runs if (told["id"], told["state"]) == (str(run.id), state)]

        return says(await self.until(f"{run} is {state}", lambda message: bool(says(message))))[0]

    async def closing(self) -> tuple[int, str]:
        """Code and reason with which the server ends it; messages before that are skipped."""
        while (event := await self.event())["type"] != "websocket.close":
            pass
        return event["code"], event["reason"]


@asynccontextmanager
async def socket(
    token: str = "", *, headers: Headers | None = None, subprotocols: Sequence[str] = (), **parameters: Any
) -> AsyncIterator[Socket]:
    """An open WebSocket of the whole application."""
    given = {"Host": "testserver", **({"Authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
    scope = {
        "type": "websocket",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "ws",
        "path": "/ws/runs/",
        "raw_path": b"/ws/runs/",
        "root_path": "",
        "query_string": urlencode(parameters).encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
        "subprotocols": list(subprotocols),
    }
    opened = Socket(with_live(get_asgi_application()), scope)
    try:
        await opened.open()
        yield opened
    finally:
        await opened.close()
