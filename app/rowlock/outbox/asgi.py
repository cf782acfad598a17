from rowlock.asgi import Application, Receive, Scope, Send
from rowlock.conf import settings
from rowlock.outbox import relay


def with_relay(application: Application) -> Application:
    """`application`, whose process relays from the first thing on that a server asks of it.

    Not from the import on: servers that load the application before they fork would keep the thread for themselves.
    """
    has_begun = False

    async def relaying(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal has_begun
        if not has_begun:
            has_begun = True
            if settings().relay:
                relay.start()
        await application(scope, receive, send)

    return relaying
