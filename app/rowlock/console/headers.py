"""The headers of everything that the console answers."""

from functools import cache
from urllib.parse import urlsplit

from django.conf import settings
from django.http.response import HttpResponseBase


def protected(response: HttpResponseBase) -> HttpResponseBase:
    """`response`, from which a browser takes no script, style or form but the console's own, and which it keeps to
    itself and asks for again."""
    response.headers.setdefault("Content-Security-Policy", _policy(settings.STATIC_URL or "/"))
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Cache-Control", "private, no-cache")
    return response


@cache
def _policy(static_url: str) -> str:
    parts = urlsplit(static_url)
    files = f"'self' {parts.scheme or 'https'}://{parts.netloc}" if parts.netloc else "'self'"
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {files}",
            f"style-src {files}",
            f"img-src {files} data:",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )
