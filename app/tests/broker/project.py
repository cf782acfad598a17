"""The example's Celery app with the tasks and, where ROWLOCK_TEST_SUFFIX is set, the queues of topic.py."""

import os

from example.celery import app
from tests.broker.topic import add_tasks, topic_queues

__all__ = ["app"]

add_tasks(app)
if "ROWLOCK_TEST_SUFFIX" in os.environ:
    app.conf.task_queues = topic_queues(os.environ["ROWLOCK_TEST_SUFFIX"])
