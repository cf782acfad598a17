"""What an action says when it is done, on this page or on the one it leads to."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from django.http import HttpRequest

_KEY = "rowlock_console_toasts"


@dataclass(frozen=True, kw_only=True)
class Toast:
    """A sentence; `url` is where the thing that it speaks of can be seen."""

    text: str
    kind: Literal["good", "bad", "plain"] = "good"
    url: str = ""


def add(request: HttpRequest, text: str, *, kind: Literal["good", "bad", "plain"] = "good", url: str = "") -> None:
    """Say `text` with the next page or fragment that this session gets."""
    session: Any = request.session
    session[_KEY] = [*session.get(_KEY, []), asdict(Toast(text=text, kind=kind, url=url))]


def taken(request: HttpRequest) -> list[Toast]:
    """What there is to say, which is forgotten by it."""
    session: Any = getattr(request, "session", None)
    # Looking into a session that nobody has would make one.
    if session is None or not session.session_key or _KEY not in session:
        return []
    return [Toast(**told) for told in session.pop(_KEY)]
