"""What a project's ASGI application gets by one call of `with_rowlock`."""

from rowlock.asgi import Application
from rowlock.health.asgi import with_health
from rowlock.live.asgi import with_live
from rowlock.outbox.asgi import with_relay


def with_rowlock(application: Application) -> Application:
    """`application` with the health and metrics port, live updates over WebSocket, and the relay.

    Call it with what `get_asgi_application()` returns, or whatever wraps that.
    """
    return with_relay(with_health(with_live(application)))
