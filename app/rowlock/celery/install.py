import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, import_modules

from rowlock.celery import connections, embedded
from rowlock.celery.beat import start_health_of_beat
from rowlock.celery.defaults import DEFAULTS
from rowlock.celery.steps import ConsumerHealth, HealthServer
from rowlock.checks import exit_on_errors


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
    app.steps["consumer"].add(ConsumerHealth)
    # Worker and beat send import_modules first of all, once Django is set up. Celery's own run of the checks, whose
    # outcome it drops, is spared.
    os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
    import_modules.connect(_refuse_to_start_on_errors, sender=app)
    beat_init.connect(start_health_of_beat)


def _refuse_to_start_on_errors(**kwargs: Any) -> None:
    exit_on_errors()
