import uuid

from django.db import models
from django.urls import reverse
from django.utils import timezone


class StoredFile(models.Model):
    """An upload or what a task made of it.

    It lives in the database because web and workers are different pods and share no disk.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    content = models.BinaryField()
    size = models.PositiveIntegerField()
    created = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("stored-file", args=[self.id])


class Counter(models.Model):
    """How often the counting task took effect for a key."""

    key = models.CharField(max_length=200, unique=True)
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["key"]

    def __str__(self) -> str:
        return f"{self.key}: {self.count}"


class Tick(models.Model):
    """One run of the scheduled task."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return self.at.isoformat()
