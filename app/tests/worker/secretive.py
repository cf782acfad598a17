"""The example's Celery app, where the arguments of one task are shown to nobody."""

from django.conf import settings

from example.celery import app
from rowlock import conf

__all__ = ["app"]

settings.ROWLOCK = {**settings.ROWLOCK, "REDACT_ARGUMENTS": ["tests.talk_secretly"]}
conf.settings.cache_clear()
