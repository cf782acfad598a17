from django.db import models
from django.utils import timezone

from rowlock.models.identifier import new_id


class RunLog(models.Model):
    """What one execution of a run logged. A run has none for executions that logged nothing."""

    #: Of the execution: a message that is delivered again is executed again, as the same attempt.
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    #: Without a foreign key: the log of a task that other code started can be here before its run is.
    run_id = models.UUIDField()
    #: 1 for the first, one more for each retry.
    attempt = models.PositiveIntegerField(default=1)
    worker = models.CharField(max_length=255, default="")
    #: A line for each record, from the beginning and from the end where there was too much for all.
    text = models.TextField(default="")
    #: Bytes that were left out between those.
    cut = models.PositiveBigIntegerField(default=0)
    changed = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["run_id", "id"], name="rowlock_log_run")]

    def __str__(self) -> str:
        return f"log of {self.run_id}, attempt {self.attempt}"
