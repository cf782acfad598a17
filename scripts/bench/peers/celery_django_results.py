"""Celery as Django projects deploy it that want to see their tasks: results in the database, events for Flower.

The backend and `result_extended`: https://django-celery-results.readthedocs.io/en/latest/getting_started.html
The events, and that a task has started: https://docs.celeryq.dev/en/stable/userguide/monitoring.html
"""

from collections.abc import Iterable

from peers.celery_tasks import add_tasks, make_app, publish_with
from work import Kind

app = make_app()
app.conf.update(
    result_backend="django-db",
    result_extended=True,
    task_track_started=True,
    worker_send_task_events=True,
    task_send_sent_event=True,
)
add_tasks(app)


def publish(tasks: Iterable[Kind]) -> None:
    publish_with(app, tasks)
