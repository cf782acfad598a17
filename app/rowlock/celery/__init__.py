"""The Celery side of rowlock: what a project's Celery app gets by one call of `install`."""

from rowlock.celery.install import install

__all__ = ["install"]
