"""Celery settings under which nothing is lost. A project overrides each by its usual name.

Every one that is not obvious has its reason beside it; the facts are from Celery 5.7's and kombu 5.7's sources.
"""

from typing import Any

DEFAULTS: dict[str, Any] = {
    # A message is given back by the broker unless the task has ended, also when its process was killed.
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    # Quorum queues survive the loss of a broker node; countdown and ETA then wait in the broker, not in a worker's
    # memory, which needs topic exchanges.
    "task_default_queue_type": "quorum",
    "task_default_exchange_type": "topic",
    "task_create_missing_queue_type": "quorum",
    "task_create_missing_queue_exchange_type": "topic",
    # Without confirms a message published into a dying broker is gone without an error. Without timeouts whoever
    # publishes to one that fell silent waits for ever: first for the confirm (task.py bounds that), then for the answer
    # to the closing of the channel (kombu/connection.py `maybe_close_channel`).
    "broker_transport_options": {"confirm_publish": True, "read_timeout": 15, "write_timeout": 15},
    # A lost connection makes the broker deliver the message again, so what still runs would run twice.
    "worker_cancel_long_running_tasks_on_connection_loss": True,
    "broker_connection_retry_on_startup": True,
    # A worker whose broker is away tries on, and has it back soon after its return. Celery gives up after 100 tries.
    "broker_connection_max_retries": None,
    "worker_consumer": "rowlock.celery.consumer:Consumer",
    # Both sides give up one that has been silent for two of these; Celery's 120 leave a worker without its broker, and
    # its messages with a lost worker, for minutes.
    "broker_heartbeat": 20,
    # What the container may use, where Celery's own default is all the CPUs of the node.
    "worker_concurrency": "auto",
    # The pool's queue order stays fair only when no worker hoards.
    "worker_prefetch_multiplier": 1,
    "task_track_started": True,
    # Off, a Redis restart at the wrong moment loses a result (celery#8588). A dozen attempts are about a quarter of a
    # minute; the history has the result in any case.
    "result_backend_always_retry": True,
    "result_backend_max_retries": 12,
    "redis_socket_timeout": 10.0,
    "redis_socket_connect_timeout": 5.0,
    "redis_socket_keepalive": True,
    "redis_retry_on_timeout": True,
    "redis_backend_health_check_interval": 30,
}
