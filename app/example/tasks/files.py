from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from example.models import StoredFile, Tick

FILES_KEPT = timedelta(days=7)
TICKS_KEPT = timedelta(days=1)
BATCH = 500


@shared_task
def delete_old() -> dict[str, int]:
    """Delete files older than a week and ticks older than a day."""
    now = timezone.now()
    ticks, _ = Tick.objects.filter(at__lt=now - TICKS_KEPT).delete()
    files = 0
    # One statement for all would hold its locks for as long as it takes to free the bytes of every file.
    while batch := list(
        StoredFile.objects.filter(created__lt=now - FILES_KEPT).order_by("created").values_list("id", flat=True)[:BATCH]
    ):
        files += StoredFile.objects.filter(id__in=batch).delete()[0]
    return {"files": files, "ticks": ticks}
