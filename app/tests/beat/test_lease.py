"""The Lease that a beat holds, against an HTTP server that behaves like the API server."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rowlock.celery.beat_lock import LockError
from rowlock.celery.beat_lock.lease import Lease
from tests.beat.api_server import ApiServer, api_server


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with api_server() as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def first(server: ApiServer, clock: Clock, tmp_path: Path) -> Lease:
    return lease("first", server, clock, tmp_path)


@pytest.fixture
def second(server: ApiServer, clock: Clock, tmp_path: Path) -> Lease:
    return lease("second", server, clock, tmp_path)


def lease(identity: str, server: ApiServer, clock: Clock, account: Path) -> Lease:
    return Lease("beat", namespace="shop", identity=identity, call=server.caller(account), clock=clock)


def takeover(waiting: Lease, clock: Clock) -> float:
    """Seconds until `waiting` has the Lease, looking every second."""
    began = clock.time
    while not waiting.hold():
        clock.time += 1
        assert clock.time - began < 60, "nobody took over"
    return clock.time - began


def test_who_comes_first_holds_it_and_the_next_stands_by(first: Lease, second: Lease, server: ApiServer) -> None:
    assert (first.hold(), second.hold()) == (True, False)

    spec = server.leases["beat"]["spec"]
    assert (spec["holderIdentity"], spec["leaseDurationSeconds"], spec["leaseTransitions"]) == ("first", 5, 0)


def test_who_renews_keeps_it(first: Lease, second: Lease, clock: Clock) -> None:
    for _ in range(60):
        assert (first.hold(), second.hold()) == (True, False), f"at {clock.time}"
        clock.time += 1


def test_it_is_taken_over_within_ten_seconds_of_a_kill(first: Lease, second: Lease, clock: Clock) -> None:
    first.hold()
    second.hold()

    assert 5 <= takeover(second, clock) <= 7


def test_who_stood_still_does_not_believe_to_hold_it(first: Lease, second: Lease, clock: Clock) -> None:
    first.hold()
    second.hold()
    takeover(second, clock)

    assert not first.hold()


def test_who_holds_it_gives_it_up_before_another_may_take_it(first: Lease, server: ApiServer, clock: Clock) -> None:
    first.hold()
    server.refusal = 500

    clock.time += 3
    assert first.hold(), "one lost renewal is not the end"
    clock.time += 1
    with pytest.raises(LockError):
        first.hold()


def test_it_is_given_up_at_once(first: Lease, second: Lease, server: ApiServer, clock: Clock) -> None:
    first.hold()
    second.hold()

    first.release()
    clock.time += 1

    assert second.hold()
    assert server.leases["beat"]["spec"]["leaseTransitions"] == 1


def test_who_waits_gives_nothing_up(first: Lease, second: Lease, server: ApiServer) -> None:
    first.hold()
    second.hold()

    second.release()

    assert server.leases["beat"]["spec"]["holderIdentity"] == "first"


def test_the_same_pod_has_it_again_at_once(first: Lease, server: ApiServer, clock: Clock, tmp_path: Path) -> None:
    first.hold()

    assert lease("first", server, clock, tmp_path).hold(), "its container was restarted"


@pytest.mark.parametrize("written", ["2020-01-01T00:00:00.000000Z", "2099-01-01T00:00:00.000000Z"])
def test_no_clock_but_ones_own_is_believed(
    first: Lease, second: Lease, server: ApiServer, clock: Clock, written: str
) -> None:
    first.hold()
    server.keep({**server.leases["beat"], "spec": {**server.leases["beat"]["spec"], "renewTime": written}})

    assert not second.hold()
    assert 5 <= takeover(second, clock) <= 7


def test_of_many_that_take_it_at_once_one_has_it(server: ApiServer, clock: Clock, tmp_path: Path) -> None:
    lease("gone", server, clock, tmp_path).hold()
    waiting = [lease(f"beat-{number}", server, clock, tmp_path) for number in range(8)]
    for one in waiting:
        one.hold()
    clock.time += 10
    barrier, holders = threading.Barrier(len(waiting)), []

    def take(one: Lease) -> None:
        barrier.wait()
        holders.append(one.hold())

    threads = [threading.Thread(target=take, args=[one]) for one in waiting]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(holders) == [False] * 7 + [True]


def test_a_change_by_hand_costs_it_for_a_moment_only(first: Lease, server: ApiServer, clock: Clock) -> None:
    first.hold()
    server.keep(server.leases["beat"])

    clock.time += 2
    assert not first.hold(), "it may have been taken"
    clock.time += 1
    assert first.hold()


def test_a_lease_that_was_deleted_is_made_again(first: Lease, server: ApiServer, clock: Clock) -> None:
    first.hold()
    server.leases.clear()

    clock.time += 2
    first.hold()
    clock.time += 1

    assert first.hold()


def test_the_holder_asks_the_api_server_once_a_renewal(first: Lease, server: ApiServer, clock: Clock) -> None:
    first.hold()
    server.requests.clear()

    for _ in range(100):
        first.hold()
        clock.time += 0.1

    assert len(server.requests) <= 7


def test_who_may_not_is_told_what_to_do(first: Lease, server: ApiServer) -> None:
    server.refusal = 403

    with pytest.raises(LockError, match=r"needs a token and a Role.*beat.lock=lease"):
        first.hold()


def test_without_an_api_server_nobody_holds_it(clock: Clock, tmp_path: Path) -> None:
    with api_server() as server:
        one = lease("first", server, clock, tmp_path)

    with pytest.raises(LockError, match="does not answer"):
        one.hold()
