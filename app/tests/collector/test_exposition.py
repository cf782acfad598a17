"""What is told of a broker that has not answered for a while."""

import time

import pytest

from rowlock.collector.exposition import LONGEST_AGE, BrokerCollector
from rowlock.collector.snapshot import Clients, Snapshot


@pytest.mark.parametrize(("age", "is_told"), [(1.0, True), (LONGEST_AGE + 1, False)], ids=["fresh", "old"])
def test_numbers_are_told_while_they_are_fresh(age: float, is_told: bool) -> None:
    clients = Clients(connections=0, channels=0)
    snapshot = Snapshot(taken=time.monotonic() - age, queues=(), dead=3, delayed=0, nodes=None, clients=clients, raw=())

    told = {metric.name for metric in BrokerCollector(lambda: snapshot, lambda: False).collect()}

    assert ("rowlock_dead_letters" in told) == is_told
    assert "rowlock_broker_up" in told
