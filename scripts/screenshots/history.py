"""A plausible history for the pictures: some hours of runs with a bad half hour, and what the queues held."""

import json
import math
import random
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from rowlock.models import QueueSample, Run, State
from rowlock.models.identifier import new_id

HOURS = 6
_TRACEBACK = """Traceback (most recent call last):
  File "/app/example/tasks/page.py", line 41, in fetch
    response = guarded_http.get(url, limit=LARGEST)
  File "/app/example/tasks/guarded_http.py", line 73, in get
    with client.stream("GET", address) as response:
  File "/usr/lib/python3.13/contextlib.py", line 141, in __enter__
    return next(self.gen)
httpx.ConnectTimeout: timed out after 10 s: https://status.example.org/feed
"""
#: Task, queue, runs a minute, seconds of a run, share that fails, arguments, result.
_TASKS: list[tuple[str, str, float, float, float, dict[str, Any], Any]] = [
    ("example.tasks.basic.add", "celery", 14, 0.02, 0.0, {"x": 2, "y": 3}, 5),
    (
        "example.tasks.email.send_confirmation",
        "email",
        7,
        0.4,
        0.006,
        {"address": "ada@example.org", "message": "Hi"},
        {"sent": 1},
    ),
    ("example.tasks.text.count_words", "text", 4, 0.2, 0.0, {"file_id": "notes.txt", "top": 10}, {"words": 1204}),
    (
        "example.tasks.page.fetch",
        "page",
        5,
        1.6,
        0.05,
        {"url": "https://status.example.org/feed"},
        {"title": "Status", "links": 14},
    ),
    (
        "example.tasks.image.make_thumbnails",
        "image",
        3,
        2.1,
        0.01,
        {"file_id": "harbour.jpg", "sizes": [128, 256]},
        {"files": 3},
    ),
    ("example.tasks.report.summarise", "report", 1, 4.5, 0.01, {"file_id": "sales.csv", "format": "pdf"}, {"pages": 2}),
    ("example.tasks.model.train", "model", 0.2, 24, 0.02, {"folds": 5}, {"accuracy": 0.972}),
]
_NAMES = ("task", "queue", "rate", "length", "failing", "arguments", "result")
_OWNERS = ("ada", "grace", "shop", "shop", "shop", "")
_WORKERS = ("default-7c9f4d6b8-2xkqp", "default-7c9f4d6b8-m4vhz", "heavy-5d8b7f9c4-tq2wn")


def make(seed: int = 7) -> None:
    """Fill the empty tables of runs and of samples, up to this minute."""
    chance = random.Random(seed)  # noqa: S311 - pictures are no secrets
    now = timezone.now().replace(second=0, microsecond=0)
    begin = now - timedelta(hours=HOURS)
    runs = [
        run
        for minute in range(HOURS * 60)
        for task in _TASKS
        for run in _of_a_minute(chance, begin + timedelta(minutes=minute), **dict(zip(_NAMES, task, strict=True)))
    ]
    Run.objects.bulk_create(runs, batch_size=500)
    QueueSample.objects.bulk_create(_samples(chance, begin, now), batch_size=500)


def _load(moment: datetime) -> float:
    """How busy it is: it comes and goes."""
    hours = moment.timestamp() / 3600
    return 1 + 0.35 * math.sin(hours * 2.1) + 0.2 * math.sin(hours * 9.7)


def _is_bad(moment: datetime) -> bool:
    """The feed that is fetched was down for a while."""
    return timedelta(minutes=38) > timezone.now() - moment > timedelta(minutes=24)


def _of_a_minute(
    chance: random.Random,
    minute: datetime,
    *,
    task: str,
    queue: str,
    rate: float,
    length: float,
    failing: float,
    arguments: dict[str, Any],
    result: Any,
) -> list[Run]:
    expected = rate * _load(minute)
    number = int(expected) + (chance.random() < expected % 1)
    bad = _is_bad(minute) and queue == "page"
    found = []
    for _ in range(number):
        created = minute + timedelta(seconds=chance.uniform(0, 55))
        wait = chance.expovariate(1 / (2.5 if bad else 0.12)) + 0.004
        ran = min(58.0, chance.lognormvariate(math.log(10 if bad else length), 0.45))
        started = created + timedelta(seconds=wait)
        failed = chance.random() < (0.7 if bad else failing)
        found.append(
            Run(
                id=new_id(),
                task=task,
                queue=queue,
                arguments=json.dumps({"args": [], "kwargs": arguments}, separators=(",", ":")),
                owner=chance.choice(_OWNERS),
                key=f"{queue}-{chance.randrange(10**6):06}" if chance.random() < 0.2 else None,
                state=State.FAILED if failed else State.SUCCEEDED,
                created=created,
                publish_after=created,
                published=created + timedelta(milliseconds=chance.uniform(1, 4)),
                started=started,
                finished=started + timedelta(seconds=ran),
                changed=started + timedelta(seconds=ran),
                attempts=1,
                deliveries=1,
                retries=2 if failed and bad else 0,
                worker=f"celery@{chance.choice(_WORKERS)}",
                result=None if failed else json.dumps(result),
                error_type="httpx.ConnectTimeout" if failed else "",
                error_message="timed out after 10 s: https://status.example.org/feed" if failed else "",
                traceback=_TRACEBACK if failed else "",
            )
        )
    return found


def _samples(chance: random.Random, begin: datetime, now: datetime) -> list[QueueSample]:
    found = []
    held = {queue: 0.0 for _, queue, *_ in _TASKS}
    for number in range(int((now - begin) / timedelta(seconds=15))):
        moment = begin + timedelta(seconds=15 * number)
        for _, queue, rate, *_ in _TASKS:
            target = rate * _load(moment) * (9 if _is_bad(moment) and queue == "page" else 0.6)
            held[queue] += (target - held[queue]) * 0.06 + chance.gauss(0, rate * 0.05)
            ready = max(0, round(held[queue]))
            found.append(QueueSample(moment=moment, queue=queue, ready=ready, unacked=chance.randrange(3), consumers=2))
    return found
