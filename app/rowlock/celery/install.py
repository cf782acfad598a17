import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, import_modules

from rowlock.celery import connections, embedded
from rowlock.celery.beat import start_health_of_beat
from rowlock.celery.defaults import DEFAULTS
from rowlock.celery.outcome import watch_results
from rowlock.celery.steps import ConsumerHealth, HealthServer, History
from rowlock.checks import REFUSAL, exit_on_errors

#: Seconds between two deletions of old runs.
PRUNING_INTERVAL = 600.0


def install(app: Celery) -> None:
    """Give `app` rowlock's defaults, health and metrics; settings that the project makes itself win.

    Call it right after `app.config_from_object`.
    """
    embedded.register()
    app.add_defaults({**DEFAULTS, **connections.SETTINGS})
    connections.keep_between_tasks()
    if not app._custom_task_cls_used:
        app.task_cls = "rowlock.celery.task:Task"
    app.steps["worker"].add(HealthServer)
    app.steps["worker"].add(History)
    app.steps["consumer"].add(ConsumerHealth)
    # Worker and beat send import_modules first of all, once Django is set up. Celery's own run of the checks, whose
    # outcome it drops, is spared.
    os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
    import_modules.connect(_refuse_to_start_on_errors, sender=app, dispatch_uid=REFUSAL)
    watch_results()
    beat_init.connect(start_health_of_beat)
    beat_init.connect(_start_relay)
    app.on_after_configure.connect(_schedule_pruning)


def _schedule_pruning(sender: Celery, **kwargs: Any) -> None:
    sender.add_periodic_task(
        PRUNING_INTERVAL, sender.signature("rowlock.prune"), name="rowlock.prune", expires=PRUNING_INTERVAL
    )


def _start_relay(sender: Any, **kwargs: Any) -> None:
    from rowlock.conf import settings
    from rowlock.outbox import relay

    if settings().relay:
        relay.start(sender.app)


def _refuse_to_start_on_errors(**kwargs: Any) -> None:
    exit_on_errors()
