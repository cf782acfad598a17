"""Rowlock with everything on: history in Postgres, results in Redis, metrics; and, as it always has them, messages
acknowledged after execution, a quorum queue, and publishing with confirms.

Nothing is set but where the services are. ROWLOCK_WITH leaves parts out, to tell what each costs: any of history,
results, metrics, events, all events. (History cannot be left out.)
"""

import os
from collections.abc import Iterable

from peers.celery_tasks import add_tasks, make_app, publish_with
from rowlock.celery import install
from work import Kind

PARTS = os.environ.get("ROWLOCK_WITH", "history,results,metrics").split(",")

# bench_settings.py has the switch of the metrics.
app = make_app()
if "results" in PARTS:
    app.conf.result_backend = os.environ["REDIS_URL"]
else:
    app.conf.task_ignore_result = True
if "events" in PARTS or "all events" in PARTS:
    # What `worker -E` does; all of them are those of publishing too.
    app.conf.update(worker_send_task_events=True, task_send_sent_event="all events" in PARTS)
install(app)
add_tasks(app)


def publish(tasks: Iterable[Kind]) -> None:
    publish_with(app, tasks)
