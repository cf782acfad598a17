"""The example's Celery app with a cache that counts how often it was closed in a process."""

from django.conf import settings
from django.core.cache.backends.locmem import LocMemCache

from example.celery import app

__all__ = ["app"]

settings.CACHES = {"default": {"BACKEND": "tests.worker.closing.Cache"}}
_closed: list[None] = []


class Cache(LocMemCache):
    def close(self, **kwargs: object) -> None:
        _closed.append(None)


@app.task(name="tests.use_the_cache")
def use_the_cache() -> int:
    """How often the cache was closed before."""
    from django.core.cache import cache

    cache.get("anything")
    return len(_closed)
