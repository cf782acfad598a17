"""Has what people change in Django's admin in the audit log, beside Django's own log of it."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from rowlock import audit

#: What an admin tells Django's log, and the action that it is.
_LOGS = {"log_addition": "create", "log_change": "change", "log_deletions": "delete"}


def put_on_record(admin: type, kind: str, actions: Mapping[str, str] | None = None) -> None:
    """Record what is done by way of `admin` to its objects, which have names and are a `kind` of thing.

    `actions` are methods for many objects at once, and what they do.
    """
    for name, action in _LOGS.items():
        setattr(admin, name, _recording(getattr(admin, name), action, kind))
    for name, action in (actions or {}).items():
        setattr(admin, name, _recording(getattr(admin, name), action, kind))


def _recording(call: Callable[..., Any], action: str, kind: str) -> Callable[..., Any]:
    @wraps(call)
    def calling(self: Any, request: HttpRequest, of: Any, *args: Any) -> Any:
        with transaction.atomic():
            for one in of if isinstance(of, QuerySet | list) else [of]:
                audit.record(
                    actor=request.user.get_username(),
                    action=action,
                    kind=kind,
                    target=str(one.name),
                    detail={"id": one.pk},
                    via="admin",
                )
            return call(self, request, of, *args)

    return calling
