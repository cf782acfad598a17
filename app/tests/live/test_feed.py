"""One feed for all clients of a process, which keeps little and ends with the last of them."""

import asyncio
import threading
from datetime import UTC, datetime
from uuid import UUID

import pytest

from rowlock.live import feed
from rowlock.live.changes import News
from rowlock.live.feed import Batch, Feed, listening
from rowlock.models.identifier import new_id
from tests.live.clients import change, make, run, without_runs
from tests.processes import wait_until
from tests.runs.factory import ago

pytestmark = pytest.mark.django_db(transaction=True)


def threads_of_feeds() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("rowlock-live-feed")]


async def batch_after(stream: Feed, place: int) -> Batch:
    while (found := stream.after(place)) is None:
        await stream.news(5)
    return found


async def until_ready(stream: Feed) -> None:
    while stream.token is None:
        await stream.news(5)


def news_of(number: int, *, too_many: bool = False) -> News:
    return News(ids=tuple(new_id() for _ in range(number)), too_many=too_many, horizon=datetime.now(UTC))


def test_a_change_becomes_a_batch() -> None:
    async def scenario() -> tuple[frozenset[UUID], UUID]:
        old = await make(changed=ago(hours=1))
        async with listening() as stream:
            await until_ready(stream)
            await change(old)
            return (await batch_after(stream, 0)).ids, old.id

    ids, changed = run(scenario())

    assert ids == {changed}


def test_all_clients_share_one_feed() -> None:
    async def scenario() -> bool:
        async with listening() as first, listening() as second:
            return first is second

    assert run(scenario())


def test_it_looks_only_while_somebody_listens() -> None:
    async def scenario() -> tuple[int, int]:
        async with listening() as stream:
            await until_ready(stream)
            during = len(threads_of_feeds())
        await asyncio.to_thread(wait_until, "the feed's thread has ended", lambda: not threads_of_feeds())
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        return during, len(tasks)

    assert run(scenario()) == (1, 0)


def test_each_event_loop_has_its_own() -> None:
    async def scenario() -> Feed:
        async with listening() as stream:
            await until_ready(stream)
            return stream

    assert run(scenario()) is not run(scenario())


def test_many_changes_come_in_batches() -> None:
    stream = Feed()

    stream._take(news_of(feed.BATCH * 2 + 1))

    sizes = [len(batch.ids) for place in range(3) if (batch := stream.after(place))]
    assert sizes == [feed.BATCH, feed.BATCH, 1]
    assert stream.last == 3


def test_what_it_keeps_is_bounded_and_who_is_behind_is_told_so() -> None:
    stream = Feed()
    for _ in range(100):
        stream._take(news_of(feed.BATCH))

    kept = sum(len(batch.ids) for batch in stream._batches.values())

    assert kept <= feed.KEPT
    assert stream.has_lost(0)
    assert not stream.has_lost(stream.last)
    oldest = min(stream._batches)
    assert stream.has_lost(oldest - 2)
    assert not stream.has_lost(oldest - 1)


def test_too_many_changes_put_everybody_behind_who_was_there() -> None:
    stream = Feed()
    stream._take(news_of(1))
    before = stream.last

    stream._take(news_of(0, too_many=True))

    assert stream.has_lost(before)
    assert not stream.has_lost(stream.last)


def test_who_has_half_of_a_look_comes_back_to_all_of_it() -> None:
    stream = Feed()
    stream._take(news_of(0))
    earlier = stream.token
    stream._take(news_of(feed.BATCH + 1))

    first, second = stream.after(0), stream.after(1)

    assert first is not None
    assert second is not None
    assert first.token == earlier
    assert second.token == stream.token != earlier


def test_clients_that_ask_at_the_same_time_share_the_answer() -> None:
    asked: list[str] = []

    def answer() -> int:
        asked.append("once")
        return 7

    async def scenario() -> list[int]:
        async with listening() as stream:
            batch = Batch(1, frozenset(), datetime.now(UTC))
            return await asyncio.gather(*(batch.once("key", answer, stream.thread) for _ in range(9)))

    assert run(scenario()) == [7] * 9
    assert len(asked) == 1


def test_a_client_that_goes_away_does_not_take_the_answer_from_others() -> None:
    async def scenario() -> int:
        may_answer = threading.Event()
        async with listening() as stream:
            await until_ready(stream)
            batch = Batch(1, frozenset(), datetime.now(UTC))

            def answer() -> int:
                may_answer.wait(60)
                return 7

            leaving = asyncio.create_task(batch.once("key", answer, stream.thread))
            staying = asyncio.create_task(batch.once("key", answer, stream.thread))
            await asyncio.sleep(0)
            leaving.cancel()
            may_answer.set()
            return await staying

    assert run(scenario()) == 7


def test_it_goes_on_when_the_database_is_back() -> None:
    async def scenario() -> tuple[frozenset[UUID], UUID]:
        old = await make(changed=ago(hours=1))
        async with listening() as stream:
            await until_ready(stream)
            async with without_runs():
                while not stream.in_trouble:
                    await stream.news(5)
            await change(old)
            found = (await batch_after(stream, 0)).ids
            assert not stream.in_trouble, "it is over"
            return found, old.id

    found, changed = run(scenario())

    assert found == {changed}
