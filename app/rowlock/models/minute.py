from django.db import models

from rowlock.metrics.buckets import BUCKETS

#: One more than the bounds: the last is for what is above all of them.
WAITED = tuple(f"waited_{number}" for number in range(len(BUCKETS) + 1))
RAN = tuple(f"ran_{number}" for number in range(len(BUCKETS) + 1))


class Minute(models.Model):
    """What one minute of the history came to, counted once when it was over.

    There is a row for all runs (neither task nor queue), one for each task, and one for each queue, never one for both:
    so rows of one kind can be added up. A minute that nobody counted has none, and is unknown rather than empty.
    """

    id = models.BigAutoField(primary_key=True)
    minute = models.DateTimeField()
    task = models.CharField(max_length=255, default="")
    queue = models.CharField(max_length=255, default="")

    #: Runs whose (last) start was in this minute; the others, by how they ended in it.
    started = models.IntegerField(default=0)
    succeeded = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    cancelled = models.IntegerField(default=0)
    expired = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["queue", "task", "minute"], name="rowlock_minute_once")]
        indexes = [models.Index(fields=["minute"], name="rowlock_minute_minute")]

    def __str__(self) -> str:
        return f"{self.minute:%Y-%m-%d %H:%M} {self.task or self.queue}".rstrip()


# Columns can be added up by the database, which the numbers of a JSON column cannot everywhere.
for _name in (*WAITED, *RAN):
    Minute.add_to_class(_name, models.IntegerField(default=0))
