"""Another broker for what this process publishes."""

import pytest

from example.celery import app


def use_broker(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.conf, "broker_write_url", url)
    # Celery keeps its connections to the broker it met first.
    monkeypatch.setattr(app, "_pool", None)
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
