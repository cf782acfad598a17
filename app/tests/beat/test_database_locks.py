"""The locks that a database keeps: a session of Postgres's, and a file beside SQLite."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from rowlock.celery.beat_lock import LockError, chosen_lock
from rowlock.celery.beat_lock.file import FileLock
from rowlock.celery.beat_lock.session import SessionLock
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def postgres() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("needs DATABASE_URL of a Postgres")


@pytest.fixture(autouse=True)
def nobody_holds_it(transactional_db: None) -> None:
    """A beat that an earlier test has killed keeps the lock until Postgres has noticed."""
    lock = chosen_lock()
    wait_until("the lock is free", lock.hold)
    lock.release()


def terminate(session: SessionLock) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [session._session])


def test_one_holds_the_lock_of_the_database() -> None:
    first, second = chosen_lock(), chosen_lock()
    try:
        assert [first.hold(), second.hold(), first.hold(), second.hold()] == [True, False, True, False]
        first.release()
        # Postgres gives it free when it has seen that the session has ended.
        wait_until("the lock is free", second.hold)
        assert not first.hold()
    finally:
        first.release()
        second.release()


def test_the_lock_is_kept_outside_of_transactions_and_pools() -> None:
    lock, other = chosen_lock(), chosen_lock()
    try:
        assert lock.hold()
        connection.close()
        assert lock.hold()
        assert not other.hold()
    finally:
        lock.release()
        other.release()


def test_a_session_that_was_ended_is_noticed(postgres: None) -> None:
    lock = SessionLock(connection.settings_dict)
    try:
        lock.hold()
        terminate(lock)
        with pytest.raises(LockError, match="Postgres, which keeps the lock"):
            lock.hold()
        assert lock.hold()
    finally:
        lock.release()


def test_a_beat_that_stands_still_loses_its_session(postgres: None) -> None:
    """Its kernel goes on to answer for its connection."""
    lock, waiting = SessionLock(connection.settings_dict), SessionLock(connection.settings_dict)
    try:
        lock.hold()
        wait_until("the other has the lock", waiting.hold, seconds=10)
        with pytest.raises(LockError):
            lock.hold()
        assert not lock.hold()
    finally:
        lock.release()
        waiting.release()


def test_a_session_that_is_shared_is_no_lock(postgres: None) -> None:
    """As behind PgBouncer, where another statement is another session's."""
    lock = SessionLock(connection.settings_dict)
    try:
        lock.hold()
        lock._session = 1
        with pytest.raises(LockError, match="ROWLOCK_BEAT_LOCK=lease"):
            lock.hold()
    finally:
        lock.release()


def test_the_servers_own_clock_watches_the_connection(postgres: None) -> None:
    lock = SessionLock(connection.settings_dict)
    try:
        lock.hold()
        assert lock._connection is not None
        with lock._connection.cursor() as cursor:
            cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(WATCH)])
            assert dict(cursor.fetchall()) == WATCH
    finally:
        lock.release()


WATCH = {
    "tcp_keepalives_idle": "3",
    "tcp_keepalives_interval": "1",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "5000",
    "idle_session_timeout": "8000",
}

HOLDER = (
    "import sys, time\n"
    "from rowlock.celery.beat_lock.file import FileLock\n"
    "lock = FileLock(sys.argv[1])\n"
    "print(lock.hold(), flush=True)\n"
    "time.sleep(60)\n"
)


def test_a_file_is_free_when_its_holder_was_killed(tmp_path: Path) -> None:
    database = str(tmp_path / "db.sqlite3")
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, database], stdout=subprocess.PIPE, env=_environment())
    assert holder.stdout is not None
    lock = FileLock(database)
    assert holder.stdout.readline() == b"True\n"
    assert not lock.hold()

    holder.send_signal(signal.SIGKILL)
    holder.communicate()

    assert lock.hold()
    lock.release()


def test_a_file_that_was_deleted_is_no_lock(tmp_path: Path) -> None:
    first, second = FileLock(str(tmp_path / "db")), FileLock(str(tmp_path / "db"))
    first.hold()
    (tmp_path / "db.beat-lock").unlink()

    assert second.hold()
    assert not first.hold()
    second.release()


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LockError, match="the lock's file"):
        FileLock(str(tmp_path / "nowhere" / "db")).hold()


def test_a_database_in_memory_has_one_beat() -> None:
    assert FileLock("file:memorydb_default?mode=memory&cache=shared").hold()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
