import pytest
from django.conf import settings
from django.db import connection


@pytest.fixture
def real_services() -> None:
    """For tests of what only RabbitMQ, Redis and Postgres do; scripts/test runs them where it has those."""
    if connection.vendor != "postgresql" or not settings.ENV.BROKER_URL or not settings.ENV.REDIS_URL:
        pytest.skip("needs DATABASE_URL, BROKER_URL and REDIS_URL of real services")
