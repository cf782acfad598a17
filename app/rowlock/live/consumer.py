"""Live views over WebSocket."""

import asyncio
import logging
from asyncio import Task
from contextlib import aclosing, suppress
from io import BytesIO

from channels.generic.websocket import AsyncWebsocketConsumer
from django.core.handlers.asgi import ASGIRequest

from rowlock.asgi import Message as Event
from rowlock.asgi import Receive, Scope, Send
from rowlock.live.access import SUBPROTOCOL
from rowlock.live.messages import Code, EndedError
from rowlock.live.opening import opened
from rowlock.live.stream import messages

logger = logging.getLogger(__name__)

#: Seconds for which a client may read nothing while there is something to read.
PATIENCE = 60.0
#: A close frame has room for this many bytes.
LONGEST_REASON = 123


class LiveConsumer(AsyncWebsocketConsumer):
    """One client's WebSocket. What it says is ignored: the URL has all that is asked."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._is_over = asyncio.Event()
        self._serving: Task[None] | None = None

        async def receive_until_over() -> Event:
            # A server tells of the end of a connection only once the client has taken what is still on the way to it.
            received, over = asyncio.ensure_future(receive()), asyncio.ensure_future(self._is_over.wait())
            try:
                await asyncio.wait({received, over}, return_when=asyncio.FIRST_COMPLETED)
                return received.result() if received.done() else {"type": "websocket.disconnect", "code": 1006}
            finally:
                received.cancel()
                over.cancel()

        try:
            await super().__call__(scope, receive_until_over, send)
        finally:
            await self._stop()

    async def connect(self) -> None:
        # Browsers only see why they were refused when they were accepted first.
        await self.accept(SUBPROTOCOL if SUBPROTOCOL in self.scope["subprotocols"] else None)
        self._serving = asyncio.create_task(self._serve())

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Nothing that a client says matters."""

    async def _serve(self) -> None:
        try:
            await self._send_messages()
        except EndedError as ended:
            await self._end(ended.code, ended.reason)
        except TimeoutError:
            await self._end(Code.TOO_SLOW, "Too little was read for too long; connect again.")
        except OSError:
            # The client is gone, which servers also tell by a disconnect.
            self._is_over.set()
        except Exception:
            logger.exception("a live view failed")
            await self._end(Code.TRY_LATER, "The server failed; its log has the reason.")

    async def _send_messages(self) -> None:
        scheme = "https" if self.scope["scheme"] == "wss" else "http"
        handshake = {**self.scope, "type": "http", "method": "GET", "scheme": scheme}
        request = await opened(ASGIRequest(handshake, BytesIO()), self.scope["subprotocols"])
        async with aclosing(messages(request)) as found:
            async for message in found:
                await self._send(message.text)

    async def _send(self, text: str) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.send(text_data=text)

    async def _end(self, code: Code, reason: str) -> None:
        with suppress(OSError, RuntimeError):
            await self.close(code, reason.encode()[:LONGEST_REASON].decode(errors="ignore"))
        self._is_over.set()

    async def _stop(self) -> None:
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.wait({self._serving})
