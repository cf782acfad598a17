from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from pytest_django import Settings


@pytest.fixture
def real_services() -> None:
    """For tests of what only RabbitMQ, Redis and Postgres do; scripts/test runs them where it has those."""
    if connection.vendor != "postgresql" or not settings.ENV.BROKER_URL or not settings.ENV.REDIS_URL:
        pytest.skip("needs DATABASE_URL, BROKER_URL and REDIS_URL of real services")


@pytest.fixture(autouse=True)
def no_relay(settings: Settings) -> None:
    """Tests publish what they submit themselves (`relay_once`), so that no thread of theirs outlives them."""
    settings.ROWLOCK = {**getattr(settings, "ROWLOCK", {}), "RELAY": False}


@pytest.fixture(autouse=True)
def collected_static_files(settings: Settings, tmp_path: Path) -> None:
    """WhiteNoise warns about a missing folder; only the image has one."""
    settings.STATIC_ROOT = tmp_path
