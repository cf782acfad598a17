"""A project with live updates, and a look at what its server keeps for its clients."""

import asyncio
import gc
import json
import os

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.live.settings"

from django.core.asgi import get_asgi_application

from rowlock.asgi import Receive, Scope, Send
from rowlock.health.asgi import with_health
from rowlock.live.asgi import with_live

_application = with_health(with_live(get_asgi_application()))

# Models exist only after Django is set up.
from rowlock.live import feed  # noqa: E402
from rowlock.live.feed import Batch  # noqa: E402
from rowlock.live.many import _Row  # noqa: E402
from rowlock.live.messages import Message  # noqa: E402

# With less kept, and looked at more often, tests need fewer changes.
feed.KEPT = 1000
feed.INTERVAL = 0.1


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http" and scope["path"] == "/kept":
        body = json.dumps(_kept()).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})
    else:
        await _application(scope, receive, send)


def _kept() -> dict[str, int]:
    gc.collect()
    objects = gc.get_objects()
    return {
        "rows": sum(isinstance(found, _Row) for found in objects),
        "messages": sum(isinstance(found, Message) for found in objects),
        "changes": sum(len(found.ids) for found in objects if isinstance(found, Batch)),
        "unsent_bytes": sum(
            found.get_write_buffer_size() for found in objects if isinstance(found, asyncio.WriteTransport)
        ),
    }
