"""Live views for a project's ASGI application."""

from rowlock.asgi import Application, Receive, Scope, Send

PATH = "/ws/runs/"


def with_live(application: Application) -> Application:
    """Wrap an ASGI application so that WebSockets at /ws/runs/ are live views; all else goes to the application."""
    # Imported late: models exist only after Django is set up.
    from rowlock.live.consumer import LiveConsumer

    live = LiveConsumer.as_asgi()

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and scope["path"].removeprefix(scope.get("root_path", "")) == PATH:
            await live(scope, receive, send)
        else:
            await application(scope, receive, send)

    return dispatch
