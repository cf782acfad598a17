"""ROWLOCK["SUBMIT_RATE"]"""

import logging
from typing import Any

import pytest
from django.core.cache import cache
from pytest_django import Settings

from rowlock.api import throttle
from rowlock.models import Run
from tests.api.conftest import ApiClient

ADD = {"task": "example.tasks.basic.add", "args": [2, 3]}


class BrokenCache:
    asked = 0

    def incr(self, *args: object) -> int:
        self.asked += 1
        raise ConnectionError("no cache")


def statuses(client: ApiClient, times: int) -> list[int]:
    return [client.send("POST", "runs/", ADD).status_code for _ in range(times)]


def test_more_than_the_rate_is_refused_with_the_time_to_wait(anna: ApiClient, settings: Settings) -> None:
    settings.ROWLOCK = {"SUBMIT_RATE": "2/d"}

    assert statuses(anna, 2) == [202, 202]
    response = anna.send("POST", "runs/", ADD)

    assert response.status_code == 429
    assert 0 < int(response.headers["Retry-After"]) <= 86_400
    assert "2 runs in a day" in response.json()["detail"]
    assert Run.objects.count() == 2


def test_each_user_has_a_rate(anna: ApiClient, ben: ApiClient, settings: Settings) -> None:
    settings.ROWLOCK = {"SUBMIT_RATE": "1/d"}

    assert statuses(anna, 2) + statuses(ben, 2) == [202, 429, 202, 429]


def test_reading_is_not_limited(anna: ApiClient, settings: Settings) -> None:
    settings.ROWLOCK = {"SUBMIT_RATE": "1/d"}
    statuses(anna, 2)

    assert anna.send("GET", "runs/").status_code == 200


def test_a_batch_counts_whole_and_is_taken_while_anything_is_left(anna: ApiClient, settings: Settings) -> None:
    settings.ROWLOCK = {"SUBMIT_RATE": "2/d"}
    batch = {"runs": [ADD] * 5}

    assert [anna.send("POST", "runs/batch", batch).status_code for _ in range(2)] == [202, 429]


def test_no_rate_is_no_limit(anna: ApiClient, settings: Settings) -> None:
    settings.ROWLOCK = {"SUBMIT_RATE": ""}

    assert set(statuses(anna, 5)) == {202}


def test_refused_submissions_do_not_count(anna: ApiClient, settings: Settings) -> None:
    settings.ROWLOCK = {"SUBMIT_RATE": "1/d"}
    anna.send("POST", "runs/", "{")

    assert statuses(anna, 1) == [202]


def test_the_limit_stays_when_the_cache_is_down(
    anna: ApiClient, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ROWLOCK = {"SUBMIT_RATE": "2/d"}
    broken = BrokenCache()
    monkeypatch.setattr(throttle, "cache", broken)
    with caplog.at_level(logging.WARNING):
        assert statuses(anna, 3) == [202, 202, 429]

    assert broken.asked == 1, "a cache that fails is left alone for a while"
    assert "the cache fails" in caplog.text


def test_a_cache_that_keeps_nothing_is_no_way_around(anna: ApiClient, settings: Settings) -> None:
    settings.ROWLOCK = {"SUBMIT_RATE": "1/d"}
    dummy = {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}
    settings.CACHES = {**settings.CACHES, "default": dummy}

    assert statuses(anna, 2) == [202, 429]


def test_the_cache_is_asked_again_after_the_pause(
    anna: ApiClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ROWLOCK = {"SUBMIT_RATE": "1/d"}
    monkeypatch.setattr(throttle, "PAUSE", 0.0)
    with monkeypatch.context() as down:
        down.setattr(throttle, "cache", BrokenCache())
        assert statuses(anna, 1) == [202]

    assert statuses(anna, 2) == [202, 429]


def test_redis_counts_for_all_processes(anna: ApiClient, settings: Settings, real_services: None) -> None:
    settings.ROWLOCK = {"SUBMIT_RATE": "2/d"}
    redis = {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": settings.ENV.REDIS_URL, "KEY_PREFIX": "rate"}
    settings.CACHES = {**settings.CACHES, "default": redis}
    cache.clear()

    assert statuses(anna, 3) == [202, 202, 429]
    in_this_process: Any = throttle._local
    assert not in_this_process._cache, "nothing is counted in this process alone"
