import os
import sys
from typing import Any

from celery import Celery
from celery.signals import beat_init, import_modules
from django.core.management.base import SystemCheckError

from rowlock.celery import embedded
from rowlock.celery.beat import start_health_of_beat
from rowlock.celery.defaults import DEFAULTS
from rowlock.celery.steps import ConsumerHealth, HealthServer
from rowlock.checks import insist_on_checks


def install(app: Celery) -> None:
    """Give `app` rowlock's defaults, health and metrics; settings that the project makes itself win.

    Call it right after `app.config_from_object`.
    """
    embedded.register()
    app.add_defaults(DEFAULTS)
    app.steps["worker"].add(HealthServer)
    app.steps["consumer"].add(ConsumerHealth)
    # Worker and beat send import_modules first of all, once Django is set up. Celery's own run of the checks, whose
    # outcome it drops, is spared.
    os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
    import_modules.connect(_refuse_to_start_on_errors, sender=app)
    beat_init.connect(start_health_of_beat)


def _refuse_to_start_on_errors(**kwargs: Any) -> None:
    try:
        insist_on_checks()
    except SystemCheckError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None
