import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, before_task_publish, import_modules

from rowlock.celery import connections, embedded
from rowlock.celery.acks import WorkerAcks
from rowlock.celery.beat import start_health_of_beat
from rowlock.celery.defaults import DEFAULTS
from rowlock.celery.deletion_cost import PodDeletionCost
from rowlock.celery.drain import ConsumerDrain, Drain, end_on_term
from rowlock.celery.health import ConsumerHealth, HealthServer
from rowlock.celery.measuring import Metrics
from rowlock.celery.memory import SharedMemory
from rowlock.celery.own_queues import FanOut, OwnNames
from rowlock.celery.pausing import ConsumerPauses, Pauses
from rowlock.celery.prefetch import ConsumerPrefetch
from rowlock.celery.prefork import Prefork
from rowlock.celery.presence import Presence
from rowlock.celery.slots import ConsumerSlots, WorkerSlots
from rowlock.celery.solo import SoloHeartbeats
from rowlock.celery.stamp import stamp
from rowlock.celery.steps import History
from rowlock.checks import REFUSAL, exit_on_errors
from rowlock.conf import waits_for_migrations
from rowlock.outbox.patterns import HEADERS_ONLY

#: Seconds between two deletions of old runs.
PRUNING_INTERVAL = 600.0


def install(app: Celery) -> None:
    """Give `app` rowlock's defaults, health and metrics; settings that the project makes itself win.

    Call it right after `app.config_from_object`.
    """
    end_on_term()
    embedded.register()
    app.add_defaults({**DEFAULTS, **connections.SETTINGS})
    connections.keep_between_tasks()
    app.events.dispatcher_cls = "rowlock.celery.events:Dispatcher"
    if not app._custom_task_cls_used:
        app.task_cls = "rowlock.celery.task:Task"
    app.steps["worker"].add(Prefork)
    app.steps["worker"].add(HealthServer)
    app.steps["worker"].add(History)
    app.steps["worker"].add(connections.TaskConnections)
    app.steps["worker"].add(SharedMemory)
    app.steps["worker"].add(Metrics)
    app.steps["worker"].add(WorkerSlots)
    app.steps["worker"].add(WorkerAcks)
    app.steps["worker"].add(Drain)
    app.steps["worker"].add(PodDeletionCost)
    app.steps["worker"].add(Pauses)
    app.steps["worker"].add(Presence)
    app.steps["consumer"].add(ConsumerHealth)
    app.steps["consumer"].add(ConsumerSlots)
    app.steps["consumer"].add(ConsumerDrain)
    app.steps["consumer"].add(SoloHeartbeats)
    app.steps["consumer"].add(OwnNames)
    app.steps["consumer"].add(FanOut)
    app.steps["consumer"].add(ConsumerPauses)
    app.steps["consumer"].add(ConsumerPrefetch)
    # Worker and beat send import_modules first of all, once Django is set up. Celery's own run of the checks, whose
    # outcome it drops, is spared.
    os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
    import_modules.connect(_refuse_to_start_on_errors, sender=app, dispatch_uid=REFUSAL)
    before_task_publish.connect(stamp, dispatch_uid=HEADERS_ONLY)
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
    if waits_for_migrations():
        # Imported late: it needs Django's apps.
        from rowlock.celery.migrations import wait_for_migrations

        wait_for_migrations()
