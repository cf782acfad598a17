"""The audit log: who did what to what, when, and by which way."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.dateparse import parse_date

from rowlock.console.access import ConsoleRequest, page, require_operator
from rowlock.console.rendering import render_fragment, render_page
from rowlock.models import AuditEntry, Via

LIMIT = 100
FILTERS = ("actor", "action", "kind", "target", "via", "since", "until")

_CURSOR = re.compile(r"([0-9]{1,17})-([0-9]{1,18})", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.get_fixed_timezone(0))


@page
def listing(request: ConsoleRequest) -> HttpResponse:
    """The newest first."""
    require_operator(request, "see the audit log")
    given = {name: request.GET.get(name, "").replace("\0", "").strip()[:255] for name in FILTERS}
    found, wrong = _filtered(given)
    cursor = request.GET.get("cursor", "")
    entries = list(_after(found, cursor)[: LIMIT + 1])
    context: dict[str, Any] = {
        "entries": entries[:LIMIT],
        "given": given,
        "wrong": wrong,
        "is_filtered": any(given.values()),
        "ways": Via.choices,
        "cursor": cursor,
        "next_cursor": _cursor_of(entries[LIMIT - 1]) if len(entries) > LIMIT else "",
    }
    if request.htmx:
        return render_fragment(request, "rowlock/console/audit/rows.html", **context)
    return render_page(request, "rowlock/console/audit/list.html", here="audit", **context)


def _filtered(given: Mapping[str, str]) -> tuple[QuerySet[AuditEntry], dict[str, str]]:
    """The entries, and what is wrong with the filters, which do not count then."""
    entries = AuditEntry.objects.order_by("-moment", "-id")
    wrong: dict[str, str] = {}
    for name in ("actor", "action", "kind", "via"):
        if given[name]:
            entries = entries.filter(**{name: given[name]})
    if given["target"]:
        entries = entries.filter(target__startswith=given["target"])
    for name, comparison, shift in (("since", "moment__gte", 0), ("until", "moment__lt", 1)):
        if not given[name]:
            continue
        day = _day(given[name])
        if day is None:
            wrong[name] = "Write a day as in 2026-12-01."
        else:
            entries = entries.filter(**{comparison: day + timedelta(days=shift)})
    return entries, wrong


def _day(text: str) -> datetime | None:
    try:
        day = parse_date(text)
        return None if day is None else timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001
    except (ValueError, OverflowError):
        return None


def _after(entries: QuerySet[AuditEntry], cursor: str) -> QuerySet[AuditEntry]:
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        return entries
    moment = _EPOCH + timedelta(microseconds=int(found[1]))
    # The first condition alone bounds the index; the second breaks ties.
    return entries.filter(Q(moment__lte=moment), Q(moment__lt=moment) | Q(id__lt=int(found[2])))


def _cursor_of(entry: AuditEntry) -> str:
    return f"{(entry.moment - _EPOCH) // timedelta(microseconds=1)}-{entry.pk}"


urlpatterns = [path("audit/", listing, name="audit")]
