"""From an HTTP request, or the handshake of a WebSocket, to a view that may be opened."""

import logging
from collections.abc import Sequence

from django.http import HttpRequest

from rowlock.live.access import Access, access_of
from rowlock.live.messages import Code, EndedError, token_of
from rowlock.live.stream import Request
from rowlock.live.subjects import subject_of
from rowlock.runs.viewer import Viewer

logger = logging.getLogger(__name__)


async def opened(request: HttpRequest, subprotocols: Sequence[str] = ()) -> Request:
    """Raises EndedError when the view cannot be had."""
    access = access_of(request, list(subprotocols))
    subject = subject_of(request.GET.dict())
    since = request.headers.get("Last-Event-ID") or request.GET.get("since") or ""
    token = token_of(since) if since else None
    try:
        viewer = await _viewer(access)
        await subject.check(viewer)
    except EndedError:
        raise
    except Exception as error:
        # The database, or where sessions are kept. Whatever it is, who asks can only try again.
        logger.exception("a live view could not be opened")
        raise EndedError(Code.TRY_LATER, "The server cannot check who you are just now; try again.") from error
    return Request(access=access, viewer=viewer, subject=subject, since=token)


async def _viewer(access: Access) -> Viewer:
    viewer = await access.viewer()
    if viewer is None:
        raise EndedError(
            Code.UNAUTHENTICATED,
            "The token or session is wrong, has expired, or belongs to a user who may no longer log in.",
        )
    return viewer
