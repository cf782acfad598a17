from functools import partial

from django.db import connection

from rowlock import kubernetes
from rowlock.celery.beat_lock.file import FileLock
from rowlock.celery.beat_lock.lease import Lease
from rowlock.celery.beat_lock.lock import Lock
from rowlock.celery.beat_lock.session import SessionLock
from rowlock.conf import beat_lock


def chosen_lock() -> Lock:
    """The lock that ROWLOCK_BEAT_LOCK asks for; raises ConfigurationError."""
    lease = beat_lock()
    if lease is not None:
        # A slow answer must not outlast the Lease.
        call = partial(kubernetes.call, patience=Lease.PATIENCE)
        return Lease(lease.name, namespace=lease.namespace, identity=lease.identity, call=call)
    if connection.vendor == "postgresql":
        return SessionLock(connection.settings_dict)
    return FileLock(str(connection.settings_dict["NAME"]))
