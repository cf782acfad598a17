"""The lock of beat: of all that run, the one that holds it ticks, and the others stand by."""

from rowlock.celery.beat_lock.choice import chosen_lock
from rowlock.celery.beat_lock.lock import Lock, LockError

__all__ = ["Lock", "LockError", "chosen_lock"]
