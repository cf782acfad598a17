"""Which publisher of the benchmark publishes what, and when."""

from itertools import islice

import pytest

import publish


@pytest.mark.parametrize(("number", "tasks"), [(0, 3), (1, 2)])
def test_publishers_share_the_tasks_of_a_kind(monkeypatch: pytest.MonkeyPatch, number: int, tasks: int) -> None:
    monkeypatch.setattr(publish._all_did, "wait", lambda _: None)

    shared = list(publish.share({"nothing": 5}, number))

    assert shared == ["nothing"] * tasks


def test_another_publisher_begins_when_the_first_has_published_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    ready = publish._fork.Event()
    monkeypatch.setattr(publish, "_is_ready", ready)
    tasks = publish.share({"nothing": 4}, 0)

    before = [ready.is_set() for _ in islice(tasks, 2)]

    assert before == [False, True], "it did not begin after the first message, but then or before"
