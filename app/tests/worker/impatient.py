"""The example's Celery app with heartbeats so frequent that a test can wait for their absence."""

from example.celery import app

__all__ = ["app"]

app.conf.broker_heartbeat = 4
