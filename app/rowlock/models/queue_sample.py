from django.db import models


class QueueSample(models.Model):
    """What a queue of the broker held at a moment, which is the beginning of a slot of some seconds."""

    id = models.BigAutoField(primary_key=True)
    moment = models.DateTimeField()
    queue = models.CharField(max_length=255)
    #: Messages that wait, messages that workers have and have not acked, and who takes from it.
    ready = models.IntegerField()
    unacked = models.IntegerField()
    consumers = models.IntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["moment", "queue"], name="rowlock_queuesample_once")]

    def __str__(self) -> str:
        return f"{self.queue} at {self.moment:%Y-%m-%d %H:%M:%S}"
