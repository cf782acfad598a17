import hashlib
import secrets

from django.conf import settings
from django.db import models
from django.utils import timezone

#: Makes a leaked token recognisable to secret scanners.
PREFIX = "rowlock_"


class ApiToken(models.Model):
    """A token of the HTTP API: it may what its user may. Only its hash is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=100)
    hash = models.CharField(max_length=64, unique=True, editable=False)
    created = models.DateTimeField(default=timezone.now, editable=False)
    expires = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} of {self.user}"


def new_secret() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    # A plain hash is enough for 256 random bits; slow ones are for passwords.
    return hashlib.sha256(secret.encode()).hexdigest()
