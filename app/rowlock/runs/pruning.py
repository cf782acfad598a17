"""Forgetting old runs."""

from datetime import timedelta

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from rowlock.conf import settings
from rowlock.models import FINAL, Run, RunLog

#: Rows that one statement deletes: few enough that nobody waits for it.
CHUNK = 5000


def prune() -> int:
    """Delete finished runs by age and number; returns how many. Runs that have not finished stay, however old."""
    limits = settings()
    deleted = 0
    finished = Run.objects.filter(state__in=FINAL)
    if limits.retention_days is not None:
        deleted += _delete(finished.filter(created__lt=timezone.now() - timedelta(days=limits.retention_days)))
    if limits.retention_count is not None:
        newest = finished.order_by("-created", "-id")
        beyond = newest.values_list("created", flat=True)[limits.retention_count : limits.retention_count + 1].first()
        if beyond is not None:
            deleted += _delete(finished.filter(created__lte=beyond))
    return deleted


def _delete(runs: QuerySet[Run]) -> int:
    deleted = 0
    while True:
        with transaction.atomic():
            oldest = runs.order_by("created", "id")
            if connection.features.has_select_for_update_skip_locked:
                oldest = oldest.select_for_update(skip_locked=True)
            ids = list(oldest.values_list("id", flat=True)[:CHUNK])
            RunLog.objects.filter(run_id__in=ids).delete()
            deleted += Run.objects.filter(id__in=ids).delete()[0]
        if len(ids) < CHUNK:
            return deleted
