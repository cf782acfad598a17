"""The Celery apps that the benchmark compares: the same two tasks, set up by VARIANT of the environment."""

import os
import time

import django
from celery import Celery

VARIANT = os.environ["VARIANT"]
REDIS_URL = os.environ["REDIS_URL"]

os.environ["DJANGO_SETTINGS_MODULE"] = "bench_settings"
django.setup()

app = Celery("bench", broker=os.environ["BROKER_URL"], set_as_current=True)
app.conf.update(worker_prefetch_multiplier=4, task_default_queue=f"bench {VARIANT}", task_ignore_result=True)

if VARIANT == "redis results":
    app.conf.update(result_backend=REDIS_URL, task_ignore_result=False)
elif VARIANT == "django-db results, events":
    app.conf.update(
        result_backend="django-db",
        result_extended=True,
        task_ignore_result=False,
        task_track_started=True,
        worker_send_task_events=True,
        task_send_sent_event=True,
    )
elif VARIANT.startswith("rowlock"):
    from rowlock.celery import install

    if VARIANT == "rowlock, history and redis results":
        app.conf.update(result_backend=REDIS_URL, task_ignore_result=False)
    if "events" in VARIANT:
        # What `worker -E` does; all events are those of publishing too.
        app.conf.update(worker_send_task_events=True, task_send_sent_event="all events" in VARIANT)
    install(app)


@app.task(name="nothing")
def nothing() -> None:
    """As little as a task can do."""


@app.task(name="stamp", ignore_result=True)
def stamp(key: str) -> None:
    """Say when this message was reached."""
    from redis import Redis

    Redis.from_url(REDIS_URL).set(key, time.time())
