"""Celery as its first steps set it up: RabbitMQ, and results in Redis.

https://docs.celeryq.dev/en/stable/getting-started/first-steps-with-celery.html#keeping-results
"""

import os
from collections.abc import Iterable

from peers.celery_tasks import add_tasks, make_app, publish_with
from work import Kind

app = make_app()
app.conf.result_backend = os.environ["REDIS_URL"]
add_tasks(app)


def publish(tasks: Iterable[Kind]) -> None:
    publish_with(app, tasks)
