"""What a project's ASGI application gets by one call of `with_rowlock`."""

from django.core.handlers.asgi import ASGIHandler

from rowlock.asgi import Application
from rowlock.health.asgi import with_health
from rowlock.live.asgi import with_live
from rowlock.outbox.asgi import with_relay


def with_rowlock(application: Application) -> Application:
    """`application` with the health and metrics port, live updates over WebSocket, the relay, and fast submissions.

    Call it with what `get_asgi_application()` returns, or whatever wraps that. Where something does, submissions are
    only fast if it wraps `with_fast_submissions(get_asgi_application())`: it is to see them too.
    """
    if type(application) is ASGIHandler:
        application = with_fast_submissions(application)
    return with_relay(with_health(with_live(application)))


def with_fast_submissions(application: ASGIHandler) -> Application:
    """What `get_asgi_application()` returns, which submissions over HTTP pass through in one thread, not in many."""
    # Imported late: models exist only after Django is set up.
    from rowlock.api.asgi import with_submissions

    return with_submissions(application)
