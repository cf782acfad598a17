"""Whose token it is: the same for the HTTP API and for live updates."""

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Q
from django.utils import timezone

from rowlock.models import ApiToken
from rowlock.models.token import hash_of


def user_of_token(secret: str) -> AbstractBaseUser | None:
    """The active user whose unexpired token `secret` is; None for anything else."""
    unexpired = Q(expires__isnull=True) | Q(expires__gt=timezone.now())
    found = ApiToken.objects.select_related("user").filter(unexpired, hash=hash_of(secret)).first()
    return found.user if found is not None and found.user.is_active else None
