"""Who opens a live view, and whether they still may while it is open."""

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.utils.http import is_same_domain

from rowlock.live.messages import Code, EndedError
from rowlock.live.threads import in_database
from rowlock.models.token import PREFIX
from rowlock.runs.authentication import viewer_of_token
from rowlock.runs.viewer import Viewer, viewer_of

#: The WebSocket subprotocol of live views. A browser cannot set headers of a WebSocket; it names its token as a second
#: subprotocol. In the URL it would be in the logs of every proxy on the way.
SUBPROTOCOL = "rowlock.live"


@dataclass(frozen=True, kw_only=True)
class Access:
    """What a client showed of who it is: a token, or the key of a session."""

    token: str = field(default="", repr=False)
    session: str = field(default="", repr=False)

    async def viewer(self) -> Viewer | None:
        """Who that is just now; None when it is not, or no longer, anybody."""
        return await in_database(self._viewer)

    def _viewer(self) -> Viewer | None:
        if self.token:
            return viewer_of_token(self.token)
        user = _user_of_session(self.session)
        return viewer_of(user) if user is not None and user.is_active else None


def access_of(request: HttpRequest, subprotocols: list[str]) -> Access:
    """The access that `request` asks for; raises EndedError when that is none, or of another site's page."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme:
        if scheme.lower() != "bearer" or not secret.strip():
            raise EndedError(Code.UNAUTHENTICATED, "Authorization must be `Bearer <token>`.")
        return Access(token=secret.strip())
    for subprotocol in subprotocols:
        if subprotocol.startswith(PREFIX):
            return Access(token=subprotocol)
    session = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    if not session:
        raise EndedError(Code.UNAUTHENTICATED, "Log in, or send `Authorization: Bearer <token>`.")
    _refuse_other_origins(request)
    return Access(session=session)


def _refuse_other_origins(request: HttpRequest) -> None:
    """Browsers send the cookie with a WebSocket that any site's page opens, and always say which page's."""
    origin = request.headers.get("Origin")
    if origin is None:
        return
    try:
        here = f"{request.scheme}://{request.get_host()}"
    except DisallowedHost:
        raise EndedError(Code.MALFORMED, "This host name is not served here (ALLOWED_HOSTS).") from None
    if origin != here and not any(_is_trusted(origin, trusted) for trusted in settings.CSRF_TRUSTED_ORIGINS):
        raise EndedError(Code.NOT_ALLOWED, "A page of another site may not look here (CSRF_TRUSTED_ORIGINS).")


def _is_trusted(origin: str, trusted: str) -> bool:
    if "*" not in trusted:
        return origin == trusted
    asked, pattern = urlsplit(origin), urlsplit(trusted)
    return asked.scheme == pattern.scheme and is_same_domain(asked.netloc, pattern.netloc.lstrip("*"))


def _user_of_session(key: str) -> Any:
    request: Any = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    user = get_user(request)
    return user if user.is_authenticated else None
