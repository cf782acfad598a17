"""Who asks: a token in the Authorization header, or a session with CSRF protection."""

from http import HTTPStatus
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from rowlock.api.problems import ProblemError
from rowlock.runs.authentication import viewer_of_token
from rowlock.runs.viewer import Viewer, viewer_of


class Token(HttpBearer):
    """`Authorization: Bearer <token>`; a wrong one is refused even where a session would do."""

    def __call__(self, request: HttpRequest) -> Viewer | None:
        # Not by request.headers, which reads all of them.
        header = request.META.get("HTTP_AUTHORIZATION")
        if header is None:
            return None
        scheme, _, secret = header.partition(" ")
        if scheme.lower() != self.openapi_scheme:
            raise _unauthorized(
                f"Authorization {scheme[:50]!r} is not known here; send `Authorization: Bearer <token>`."
            )
        return self.authenticate(request, secret.strip())

    def authenticate(self, request: HttpRequest, token: str) -> Viewer:
        viewer = viewer_of_token(token)
        if viewer is None:
            raise _unauthorized("The token is wrong, has expired, or belongs to a user who may no longer log in.")
        return viewer


class Session(APIKeyCookie):
    """A logged-in user of the project; requests that change something need the CSRF token."""

    param_name = settings.SESSION_COOKIE_NAME

    def __call__(self, request: HttpRequest) -> Viewer | None:
        return self.authenticate(request, None)

    def authenticate(self, request: HttpRequest, key: str | None) -> Viewer | None:
        user = getattr(request, "user", None)
        if user is None or not user.is_authenticated:
            return None
        # After the login, so that who has none hears of that and not of CSRF.
        if check_csrf(request):
            raise ProblemError(
                HTTPStatus.FORBIDDEN,
                "The CSRF token is missing or wrong; send the csrftoken cookie's value as X-CSRFToken.",
                kind="csrf",
            )
        return viewer_of(user)


def viewer_in(request: HttpRequest) -> Viewer:
    """The viewer that authentication found."""
    return cast(Viewer, cast(Any, request).auth)


def require(allowed: bool, permission: str, what: str) -> None:
    """Raises a problem that names the permission which `what` needs."""
    if not allowed:
        raise ProblemError(HTTPStatus.FORBIDDEN, f"To {what} you need the permission {permission}.", kind="not-allowed")


def _unauthorized(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
