import json
from typing import Any

from django.db import models
from django.utils import timezone


class Via(models.TextChoices):
    """The way by which somebody did something."""

    CONSOLE = "console", "console"
    API = "api", "API"
    CLI = "cli", "command line"
    ADMIN = "admin", "admin"


class AuditEntry(models.Model):
    """Who did what to what, and when. Made by `rowlock.audit.record`, never changed, deleted by age."""

    id = models.BigAutoField(primary_key=True)
    moment = models.DateTimeField(default=timezone.now, editable=False)
    #: The user's name; for the command line, that of the operating system's user.
    actor = models.CharField(max_length=150)
    #: A verb, and what it was done to: a kind (run, queue, schedule, ...) and which one.
    action = models.CharField(max_length=40)
    kind = models.CharField(max_length=40)
    target = models.CharField(max_length=255)
    #: A JSON object of names, ids and counts; never a task's arguments.
    detail = models.TextField(default="{}")
    via = models.CharField(max_length=10, choices=Via)

    class Meta:
        ordering = ["-moment", "-id"]
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["-moment", "-id"], name="rowlock_audit_newest"),
            models.Index(fields=["actor", "-moment", "-id"], name="rowlock_audit_actor"),
            models.Index(fields=["kind", "target", "-moment", "-id"], name="rowlock_audit_target"),
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.kind} {self.target}"

    @property
    def details(self) -> dict[str, Any]:
        details: dict[str, Any] = json.loads(self.detail)
        return details
