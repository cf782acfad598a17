"""Accepting the runs of many requests by one commit.

A commit waits for the disk, and costs both the database and its client more than a row does. A thread that serves one
request after another opens a `Group`; `accept` then only notes the runs, and the thread commits those of all requests
before any of them is answered. Runs with a key are written at once, for they may be somebody else's already.
"""

import threading
from collections.abc import Sequence
from contextlib import suppress

from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections
from django.db import Error as DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from rowlock.models import Run
from rowlock.models.connections import rest
from rowlock.outbox import relay
from rowlock.runs import accepting
from rowlock.runs.inserting import insert
from rowlock.runs.registry import celery_app


class Group:
    """The runs that a thread has noted, request by request, and the connection over which it writes them.

    For one thread. The connection is not that of Django's requests, which is closed at the end of each unless a project
    has it otherwise.
    """

    def __init__(self) -> None:
        self._noted: list[list[Run]] = []
        #: Eager tasks are executed at the commit, each in its own request.
        self.is_used = connections[DEFAULT_DB_ALIAS].vendor == "postgresql" and not celery_app().conf.task_always_eager
        self._connection: BaseDatabaseWrapper | None = None

    def begin(self) -> None:
        """What is accepted in this thread from now on is noted here, until `end`."""
        _open.group = self

    def end(self) -> list[list[Run]]:
        """What was noted since `begin`, each list from one call of `accept`; `commit` them."""
        _open.group = None
        noted, self._noted = self._noted, []
        return noted

    def note(self, runs: list[Run]) -> None:
        self._noted.append(runs)

    def commit(self, lists: Sequence[list[Run]]) -> list[Exception | None]:
        """Accept all `lists` durably; returns for each of them why it could not be, None where it was.

        Of one list all runs are accepted, or none.
        """
        errors: dict[int, Exception] = {}
        has_room = relay.has_room()
        claimed = [runs for runs in lists if has_room and all(run.due is None for run in runs)]
        others = [runs for runs in lists if not any(runs is one for one in claimed)]
        for part, is_claimed in ((claimed, True), (others, False)):
            if part:
                errors.update(self._commit_alike(part, is_claimed))
        return [errors.get(id(runs)) for runs in lists]

    def rest(self) -> None:
        """Others may have the connection until the next commit."""
        if self._connection is not None:
            # What was committed is, whatever becomes of the connection; the next commit makes another.
            with suppress(DatabaseError):
                rest(self._connection)

    def close(self) -> None:
        """Let go of the connection; the next commit makes another."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()

    def _commit_alike(self, lists: Sequence[list[Run]], is_claimed: bool) -> dict[int, Exception]:
        try:
            self._insert([run for runs in lists for run in runs], is_claimed)
        except DatabaseError as error:
            if len(lists) == 1 or isinstance(error, InterfaceError | OperationalError):
                return {id(runs): error for runs in lists}
            # What the database does not take of one is not the others' fault.
            return {key: found for runs in lists for key, found in self._commit_alike([runs], is_claimed).items()}
        return {}

    def _insert(self, runs: Sequence[Run], is_claimed: bool) -> None:
        for run in runs:
            run.attempts = int(is_claimed)
        claimed_for = relay.CLAIM if is_claimed else 0.0
        try:
            insert(runs, self._connected(), claimed_for=claimed_for)
        except (InterfaceError, OperationalError):
            # The server may have closed the connection long ago. The ids are the same: nothing is written twice.
            self.close()
            try:
                insert(runs, self._connected(), claimed_for=claimed_for)
            except DatabaseError:
                self.close()
                raise
        if is_claimed:
            relay.publish_soon(runs)
        else:
            relay.wake()

    def _connected(self) -> BaseDatabaseWrapper:
        if self._connection is None:
            self._connection = connections.create_connection(DEFAULT_DB_ALIAS)
        return self._connection


def accept(runs: list[Run]) -> list[Run]:
    """Accept `runs`, as `runs_of` made them: when the thread's group is committed, or at once where it has none.

    In the transaction of the caller where there is one. Raises RunErrors and DatabaseErrors.
    """
    group = _open.group
    has_key = any(run.key is not None for run in runs)
    if group is None or not group.is_used or has_key or connections[DEFAULT_DB_ALIAS].in_atomic_block:
        return accepting.accept_many(runs)
    for run in runs:
        run.is_new = True
    group.note(runs)
    return runs


class _Open(threading.local):
    group: Group | None = None


_open = _Open()
