"""Bare Celery: no results, no events, messages acknowledged before they are executed, a classic queue, no confirms.

All of that is Celery's default but `task_ignore_result`, which the documentation asks for where nobody reads results:
https://docs.celeryq.dev/en/stable/userguide/tasks.html#ignore-results-you-don-t-want
"""

from collections.abc import Iterable

from peers.celery_tasks import add_tasks, make_app, publish_with
from work import Kind

app = make_app()
app.conf.task_ignore_result = True
add_tasks(app)


def publish(tasks: Iterable[Kind]) -> None:
    publish_with(app, tasks)
