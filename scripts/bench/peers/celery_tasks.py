"""The tasks of every peer that is made of Celery, and the Django project around them.

Bare Celery too lives in a Django project: that is where Rowlock, the others with results, and their users are.
"""

import os
from collections.abc import Iterable

import django
from celery import Celery

import work
from work import Kind

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench_settings")


def make_app() -> Celery:
    """An app with the broker and a queue of its own, and all else as Celery has it; Django is set up."""
    django.setup()
    app = Celery("bench", broker=os.environ["BROKER_URL"], set_as_current=True)
    app.conf.task_default_queue = os.environ["QUEUE"]
    return app


def add_tasks(app: Celery) -> None:
    app.task(name="nothing")(work.nothing)
    app.task(name="brief")(work.brief)
    app.task(name="moment")(work.moment)


def publish_with(app: Celery, tasks: Iterable[Kind]) -> None:
    """Over one connection, as the Calling guide has it for many calls."""
    with app.producer_pool.acquire(block=True) as producer:
        for task in tasks:
            app.tasks[task].apply_async(producer=producer)
