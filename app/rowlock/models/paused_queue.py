from django.db import models
from django.utils import timezone


class PausedQueue(models.Model):
    """A queue from which no worker takes anything until it is resumed."""

    queue = models.CharField(primary_key=True, max_length=255)
    by = models.CharField(max_length=150)
    since = models.DateTimeField(default=timezone.now)
    reason = models.CharField(max_length=500, default="", blank=True)

    class Meta:
        ordering = ["queue"]

    def __str__(self) -> str:
        return self.queue
