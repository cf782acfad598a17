"""What beat is told by the environment."""

import pytest

from rowlock.checks import check_beat_lock
from rowlock.conf import beat_lock

COMPLETE = {
    "ROWLOCK_BEAT_LOCK": "lease",
    "ROWLOCK_LEASE_NAME": "shop-beat",
    "ROWLOCK_POD_NAMESPACE": "shop",
    "ROWLOCK_POD_NAME": "shop-beat-0",
}


def test_the_database_is_the_lock_unless_a_lease_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROWLOCK_BEAT_LOCK", raising=False)
    assert beat_lock() is None

    for name, value in COMPLETE.items():
        monkeypatch.setenv(name, value)
    lease = beat_lock()

    assert lease is not None
    assert (lease.name, lease.namespace, lease.identity) == ("shop-beat", "shop", "shop-beat-0")


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"ROWLOCK_BEAT_LOCK": "redis"}, "must be database or lease"),
        ({**COMPLETE, "ROWLOCK_LEASE_NAME": ""}, "ROWLOCK_LEASE_NAME must name the Lease"),
        ({**COMPLETE, "ROWLOCK_POD_NAME": ""}, "downward API"),
    ],
)
def test_a_lock_that_cannot_be_had_is_an_error_of_the_checks(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], reason: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    [error] = check_beat_lock(None)

    assert reason in str(error.msg)
