"""Publishing to a broker that is there and does not answer."""

import pytest
from celery import Celery
from django.conf import settings
from kombu.exceptions import OperationalError

from rowlock.celery import install
from tests.proxy import proxied

pytestmark = pytest.mark.usefixtures("real_services")


def nothing() -> None:
    """Only ever published."""


def test_publishing_to_a_broker_that_fell_silent_ends_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rowlock.celery.task.CONFIRM_TIMEOUT", 2.0)
    with proxied(str(settings.ENV.BROKER_URL)) as (proxy, url):
        app = Celery("silent", broker=url, set_as_current=False)
        install(app)
        app.conf.broker_transport_options = {**app.conf.broker_transport_options, "read_timeout": 2}
        task = app.task(nothing)
        task.apply_async(queue="silent")
        proxy.fall_silent()

        with pytest.raises((OperationalError, TimeoutError)):
            task.apply_async(queue="silent", retry=False)
