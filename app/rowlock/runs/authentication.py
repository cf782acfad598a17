"""Whose token it is: the same for the HTTP API and for live updates."""

import threading
import time
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import Group
from django.db.models import Q
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.utils import timezone

from rowlock.models import ApiToken
from rowlock.models.token import hash_of
from rowlock.runs.viewer import Viewer, viewer_of

#: Seconds for which a token that was found good is not asked for again: the longest that a change which this process
#: does not hear of, made by another one or past Django's signals, goes unnoticed.
REMEMBERED = 5.0
#: Tokens that are remembered at a time.
MOST = 1000


def user_of_token(secret: str) -> AbstractBaseUser | None:
    """The active user whose unexpired token `secret` is; None for anything else."""
    found = _unexpired(secret)
    return found.user if found is not None and found.user.is_active else None


def viewer_of_token(secret: str) -> Viewer | None:
    """Who `user_of_token` is and what they may, at most REMEMBERED seconds ago; None for anything else."""
    digest, now = hash_of(secret), time.monotonic()
    known = _known.get(digest)
    if known is not None and now < known[1] and (known[2] is None or timezone.now() < known[2]):
        return known[0]
    generation = _generation
    found = _unexpired(secret)
    if found is None or not found.user.is_active:
        return None
    viewer = viewer_of(found.user)
    with _lock:
        # Not what was read before a change that was told meanwhile.
        if generation == _generation:
            if len(_known) >= MOST:
                _known.clear()
            _known[digest] = viewer, now + REMEMBERED, found.expires
    return viewer


def _unexpired(secret: str) -> ApiToken | None:
    unexpired = Q(expires__isnull=True) | Q(expires__gt=timezone.now())
    return ApiToken.objects.select_related("user").filter(unexpired, hash=hash_of(secret)).first()


_lock = threading.Lock()
_known: dict[str, tuple[Viewer, float, datetime | None]] = {}
_generation = 0


def _forget(**kwargs: Any) -> None:
    global _generation  # noqa: PLW0603 - the state of this process
    with _lock:
        _generation += 1
        _known.clear()


def forget_on_changes() -> None:
    """Have this process forget what it remembers whenever it changes tokens, users, or what they may."""
    for model in (ApiToken, get_user_model(), Group):
        post_save.connect(_forget, sender=model, dispatch_uid=f"rowlock forgets tokens after {model.__name__}")
        post_delete.connect(_forget, sender=model, dispatch_uid=f"rowlock forgets tokens without {model.__name__}")
    # Those of users and groups, whatever model a project has for users.
    m2m_changed.connect(_forget, dispatch_uid="rowlock forgets tokens after changed rights")
