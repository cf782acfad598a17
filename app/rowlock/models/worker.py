import json

from django.db import models
from django.utils import timezone


class Worker(models.Model):
    """A worker that lives, or did until lately; it keeps its row up to date itself."""

    #: Celery's name of it, as in `Run.worker`.
    name = models.CharField(primary_key=True, max_length=255)
    #: The chart's name of its pool; empty without one.
    pool = models.CharField(max_length=255, default="")
    #: How it executes tasks: prefork, threads, gevent, eventlet or solo.
    concurrency = models.CharField(max_length=40, default="")
    #: A JSON list of the queues that it is for, also of those that are paused.
    queues = models.TextField(default="[]")
    slots = models.PositiveIntegerField(default=0)
    running = models.PositiveIntegerField(default=0)
    prefetched = models.PositiveIntegerField(default=0)
    #: Its pod, or its machine, and its process there.
    pod = models.CharField(max_length=255, default="")
    pid = models.PositiveIntegerField(default=0)
    #: Of rowlock.
    version = models.CharField(max_length=40, default="")
    started = models.DateTimeField(default=timezone.now)
    #: By the database's clock.
    seen = models.DateTimeField(default=timezone.now)
    #: It was told to end and finishes what runs.
    draining = models.BooleanField(default=False)

    class Meta:
        ordering = ["pool", "name"]

    def __str__(self) -> str:
        return self.name

    @property
    def queue_names(self) -> list[str]:
        names: list[str] = json.loads(self.queues)
        return names
