"""The record of who did what: one entry for every action that changes something, whichever way it came."""

import getpass
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from django.db.models import Q
from django.utils import timezone

from rowlock.conf import settings
from rowlock.models import AuditEntry

#: How somebody did it; the values of rowlock.models.Via.
Way = Literal["console", "api", "cli", "admin"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Microseconds since then, and the id.
_CURSOR = re.compile(r"[0-9]{1,17}-[0-9]{1,18}", re.ASCII)
_LONGEST = {
    field.attname: field.max_length for field in AuditEntry._meta.concrete_fields if field.max_length is not None
}


def record(
    *, actor: str, action: str, kind: str, target: str, detail: Mapping[str, Any] | None = None, via: Way
) -> AuditEntry:
    """Note that `actor` did `action` (a verb) to the `kind` of thing that is called `target`.

    Call it in the transaction of the action, so that there is never one without the other. `detail` becomes JSON:
    names, ids and counts, never what a task was given. Texts that are too long are cut.
    """
    given = {"actor": actor, "action": action, "kind": kind, "target": target, "via": str(via)}
    return AuditEntry.objects.create(
        **{name: _fitting(name, value) for name, value in given.items()},
        detail=json.dumps(dict(detail or {}), default=str, ensure_ascii=False).replace("\\u0000", ""),
    )


def shell_user() -> str:
    """Who uses the command line: the operating system's name, for the project's users are not known there."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        # A container may run as a user without a name.
        return "shell"


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some entries, newest first, and the cursor of the next page; None when this is the last one."""

    entries: list[AuditEntry]
    next: str | None


def page(*, actor: str = "", kind: str = "", target: str = "", cursor: str | None = None, limit: int = 50) -> Page:
    """The newest entries after `cursor`, of those who and what is named; raises ValueError on a cursor that is none."""
    given = {"actor": actor, "kind": kind, "target": target}
    found = AuditEntry.objects.filter(**{name: value for name, value in given.items() if value})
    if cursor:
        if not _CURSOR.fullmatch(cursor):
            raise ValueError("The cursor is not one that a page gave; leave it out to begin with the newest entries.")
        microseconds, number = (int(part) for part in cursor.split("-"))
        moment = _EPOCH + timedelta(microseconds=microseconds)
        # The first condition alone bounds the index; the second breaks ties.
        found = found.filter(Q(moment__lte=moment), Q(moment__lt=moment) | Q(id__lt=number))
    entries = list(found.order_by("-moment", "-id")[: limit + 1])
    more = len(entries) > limit
    return Page(entries=entries[:limit], next=_cursor(entries[limit - 1]) if more else None)


def prune() -> int:
    """Delete entries that are older than ROWLOCK["AUDIT_DAYS"]; returns how many."""
    days = settings().audit_days
    if days is None:
        return 0
    return AuditEntry.objects.filter(moment__lt=timezone.now() - timedelta(days=days)).delete()[0]


def _fitting(name: str, value: str) -> str:
    return value.replace("\0", "")[: _LONGEST[name]]


def _cursor(entry: AuditEntry) -> str:
    return f"{(entry.moment - _EPOCH) // timedelta(microseconds=1)}-{entry.pk}"


def presented(entry: AuditEntry) -> dict[str, Any]:
    """An entry as JSON."""
    names = ("id", "actor", "via", "action", "kind", "target")
    moment = entry.moment.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"
    return {**{name: getattr(entry, name) for name in names}, "moment": moment, "detail": entry.details}
