"""What a client of the WebSocket sees."""

from typing import Any

import pytest

from rowlock.live import feed, many, stream
from rowlock.models import Run, State
from tests.live.clients import change, change_all, make, run, socket, without_runs
from tests.runs.factory import ago

pytestmark = pytest.mark.django_db(transaction=True)

ADD = "example.tasks.basic.add"
WAIT = "example.tasks.basic.wait"


def ids(runs: list[dict[str, Any]]) -> list[str]:
    return [told["id"] for told in runs]


def is_delta(message: dict[str, Any]) -> bool:
    return bool(message["type"] == "delta")


def test_a_list_begins_with_the_newest_runs_that_match(reader: str) -> None:
    async def scenario() -> tuple[dict[str, Any], list[Run]]:
        runs = [await make(task=task, created=ago(minutes=age)) for task, age in ((ADD, 3), (WAIT, 2), (ADD, 1))]
        async with socket(reader, q=f"task:{ADD}") as opened:
            return await opened.next(), runs

    snapshot, runs = run(scenario())

    assert snapshot["type"] == "snapshot"
    assert ids(snapshot["runs"]) == [str(runs[2].id), str(runs[0].id)]
    assert snapshot["next"] is None


def test_a_list_that_is_longer_says_where_it_goes_on(reader: str) -> None:
    async def scenario() -> dict[str, Any]:
        for _ in range(3):
            await make()
        async with socket(reader, q="", limit=2) as opened:
            return await opened.next()

    snapshot = run(scenario())

    assert len(snapshot["runs"]) == 2
    assert snapshot["next"], "a cursor for the API"


def test_new_runs_and_changes_come_as_deltas(reader: str) -> None:
    async def scenario() -> None:
        async with socket(reader, q="") as opened:
            assert (await opened.next())["runs"] == []
            made = await make()
            await opened.until_run(made, "queued")
            await change(made, state=State.SUCCEEDED)
            await opened.until_run(made, "succeeded")

    run(scenario())


def test_a_run_that_matches_no_more_is_told_to_have_left(reader: str) -> None:
    async def scenario() -> tuple[dict[str, Any], str]:
        failed = await make(state=State.FAILED, changed=ago(minutes=1))
        async with socket(reader, q="state:failed") as opened:
            assert ids((await opened.next())["runs"]) == [str(failed.id)]
            await change(failed, state=State.SUCCEEDED)
            return await opened.until("the run has left", is_delta), str(failed.id)

    delta, failed = run(scenario())

    assert (delta["runs"], delta["left"]) == ([], [failed])


def test_runs_that_never_matched_are_not_told_of(reader: str) -> None:
    async def scenario() -> tuple[dict[str, Any], str]:
        other = await make(task=WAIT, changed=ago(minutes=1))
        async with socket(reader, q=f"task:{ADD}") as opened:
            await opened.next()
            await change(other, state=State.STARTED)
            made = await make(task=ADD)
            return await opened.until("a delta", is_delta), str(made.id)

    delta, made = run(scenario())

    assert (ids(delta["runs"]), delta["left"]) == ([made], [])


def test_who_was_told_more_than_is_remembered_is_told_of_all_that_may_have_left(
    reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many, "REMEMBERED", 1)

    async def scenario() -> str:
        runs = [await make(state=State.FAILED, changed=ago(minutes=1), created=ago(minutes=age)) for age in (1, 2)]
        async with socket(reader, q="state:failed") as opened:
            await opened.next()
            for failed in runs:
                await change(failed, state=State.SUCCEEDED)
                left = await opened.until("something has left", lambda message: bool(message.get("left")))
                assert left["left"] == [str(failed.id)]
            return "told"

    assert run(scenario()) == "told"


def test_others_runs_are_not_told_of(anna: str) -> None:
    async def scenario() -> tuple[dict[str, Any], dict[str, Any], Run]:
        others = await make(owner="ben", changed=ago(minutes=1))
        async with socket(anna, q="") as opened:
            snapshot = await opened.next()
            await change(others, state=State.STARTED)
            own = await make(owner="anna")
            return snapshot, await opened.until("a delta", is_delta), own

    snapshot, delta, own = run(scenario())

    assert snapshot["runs"] == []
    assert (ids(delta["runs"]), delta["left"]) == ([str(own.id)], [])


def test_one_run_begins_with_all_its_details(reader: str) -> None:
    async def scenario() -> tuple[dict[str, Any], Run]:
        made = await make(arguments='{"args":[2,3],"kwargs":{}}')
        async with socket(reader, run=made.id) as opened:
            return await opened.next(), made

    snapshot, made = run(scenario())

    assert snapshot["type"] == "snapshot"
    assert snapshot["run"]["id"] == str(made.id)
    assert snapshot["run"]["args"] == [2, 3]


def test_one_run_tells_progress_and_result_without_repeating_arguments(reader: str) -> None:
    async def scenario() -> tuple[dict[str, Any], dict[str, Any]]:
        made = await make(state=State.STARTED, changed=ago(minutes=1))
        async with socket(reader, run=made.id) as opened:
            await opened.next()
            await change(made, progress_done=3, progress_total=10)
            progress = (await opened.until("progress", is_delta))["run"]
            await change(made, state=State.SUCCEEDED, result="42")
            return progress, await opened.until_run(made, "succeeded")

    progress, finished = run(scenario())

    assert progress["progress"] == {"done": 3, "total": 10, "message": ""}
    assert "args" not in progress
    assert finished["result"] == 42


def test_one_run_is_told_of_no_other(reader: str) -> None:
    async def scenario() -> list[str]:
        made, other = await make(changed=ago(minutes=1)), await make(changed=ago(minutes=1))
        async with socket(reader, run=made.id) as opened:
            await opened.next()
            await change(other)
            await change(made)
            return [(await opened.until("a delta", is_delta))["run"]["id"], str(made.id)]

    told, made = run(scenario())

    assert told == made


def test_counts_tell_unfinished_runs_and_the_last_hour(reader: str) -> None:
    async def scenario() -> dict[str, Any]:
        await make(state=State.QUEUED)
        await make(state=State.QUEUED, due=ago(hours=-1))
        await make(state=State.STARTED)
        await make(state=State.FAILED, finished=ago(minutes=5))
        await make(state=State.FAILED, finished=ago(hours=2))
        async with socket(reader, counts=1) as opened:
            return await opened.next()

    snapshot = run(scenario())

    assert snapshot["counts"] == {"queued": 2, "scheduled": 1, "published": 0, "retrying": 0, "started": 1}
    assert snapshot["last_hour"] == {"cancelled": 0, "expired": 0, "failed": 1, "succeeded": 0}


def test_counts_tell_what_changes(reader: str) -> None:
    async def scenario() -> dict[str, Any]:
        made = await make(state=State.STARTED, changed=ago(minutes=1))
        async with socket(reader, counts=1) as opened:
            await opened.next()
            await change(made, state=State.SUCCEEDED, finished=ago(seconds=0))
            return await opened.until("new counts", is_delta)

    delta = run(scenario())

    assert (delta["counts"], delta["last_hour"]) == ({"started": 0}, {"succeeded": 1})


def test_counts_are_of_the_runs_that_may_be_seen(anna: str) -> None:
    async def scenario() -> dict[str, Any]:
        await make(owner="anna")
        await make(owner="ben")
        async with socket(anna, counts=1) as opened:
            return await opened.next()

    assert run(scenario())["counts"]["queued"] == 1


def test_who_comes_back_is_told_what_happened_meanwhile(reader: str) -> None:
    async def scenario() -> tuple[dict[str, Any], Run, Run]:
        failed = await make(state=State.FAILED, changed=ago(minutes=1))
        async with socket(reader, q="state:failed") as opened:
            position = (await opened.next())["position"]
        await change(failed, state=State.SUCCEEDED)
        new = await make(state=State.FAILED)
        async with socket(reader, q="state:failed", since=position) as opened:
            return await opened.next(), failed, new

    first, failed, new = run(scenario())

    assert first["type"] == "delta"
    assert ids(first["runs"]) == [str(new.id)]
    assert str(failed.id) in first["left"]


def test_who_comes_back_after_too_much_begins_anew(reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "MOST_RESUMED", 2)

    async def scenario() -> dict[str, Any]:
        async with socket(reader, q="") as opened:
            position = (await opened.next())["position"]
        for _ in range(3):
            await make()
        async with socket(reader, q="", since=position) as opened:
            return await opened.next()

    assert run(scenario())["type"] == "snapshot"


def test_who_is_too_far_behind_begins_anew(reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "KEPT", 1)
    monkeypatch.setattr(feed, "BATCH", 1)

    async def scenario() -> dict[str, Any]:
        runs = [await make(changed=ago(minutes=1)) for _ in range(20)]
        async with socket(reader, q="") as opened:
            await opened.next()
            async with feed.listening() as shared:
                before = shared.last
                # All at once, so that no client is as quick as they are.
                await change_all(runs, state=State.STARTED)
                while shared.last < before + 20:
                    await shared.news(5)
            return await opened.until("a new snapshot", lambda message: message["type"] == "snapshot")

    assert len(run(scenario())["runs"]) == 20


def test_silence_is_filled_with_heartbeats(reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT", 0.05)

    async def scenario() -> list[str]:
        async with socket(reader, counts=1) as opened:
            return [(await opened.anything())["type"] for _ in range(3)]

    assert run(scenario()) == ["snapshot", "heartbeat", "heartbeat"]


def test_what_a_client_says_is_ignored(reader: str) -> None:
    async def scenario() -> None:
        async with socket(reader, q="") as opened:
            await opened.next()
            await opened.happens("websocket.receive", text="hello")
            await opened.until_run(await make(), "queued")

    run(scenario())


def test_the_database_s_absence_is_told_and_outlived(reader: str) -> None:
    async def scenario() -> None:
        async with socket(reader, q="") as opened:
            await opened.next()
            async with without_runs():
                told = await opened.until("trouble", lambda message: message["type"] == "unavailable")
                assert "database" in told["detail"]
            await opened.until_run(await make(), "queued")

    run(scenario())
