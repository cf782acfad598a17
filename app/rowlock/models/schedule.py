from typing import Any

from django.db import models
from django.utils import timezone
from django_celery_beat.models import PeriodicTask, PeriodicTasks


class Missed(models.TextChoices):
    """What beat does with the slots of a schedule that passed while it was away."""

    SKIP = "skip", "run the latest one, drop older ones"
    CATCH_UP = "catch_up", "run every one, in order"


class Schedule(models.Model):
    """What rowlock keeps of a schedule beside django-celery-beat's row."""

    task = models.OneToOneField(PeriodicTask, models.CASCADE, primary_key=True, related_name="rowlock")
    missed = models.CharField(
        "missed ticks",
        max_length=10,
        choices=Missed,
        default=Missed.SKIP,
        help_text="What becomes of the times that pass while beat is away.",
    )
    #: A digest of the times by which `since` was decided; empty while the schedule is disabled.
    timing = models.CharField(max_length=64, default="", editable=False)
    #: No slot up to here is run: the schedule was new, switched on or had other times then. Null until beat sees it.
    since = models.DateTimeField(null=True, editable=False)
    #: The PeriodicTask's total_run_count when `since` was decided.
    runs_before = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = "missed ticks"
        verbose_name_plural = "missed ticks"

    def __str__(self) -> str:
        return f"missed ticks of {self.task_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        # Beat looks at this for changes.
        PeriodicTasks.objects.update_or_create(ident=1, defaults={"last_update": timezone.now()})
