import os
from collections.abc import Iterator

import pytest
from django.conf import settings

from rowlock.broker.management import Management, Unreachable, address


@pytest.fixture
def management(real_services: None) -> Management:
    """The management API of the test run's RabbitMQ; skips where that has none."""
    management = Management(address(str(settings.ENV.BROKER_URL), os.environ.get("RABBITMQ_MANAGEMENT_URL", "")))
    try:
        management.get("overview")
    except Unreachable as error:
        pytest.skip(f"needs RABBITMQ_MANAGEMENT_URL of a RabbitMQ with its management plugin: {error}")
    return management


@pytest.fixture
def without_policies(management: Management) -> Iterator[None]:
    """Removes what a test has made of policies."""
    before = {policy["name"] for policy in management.get("policies", management.address.vhost)}
    yield
    for policy in management.get("policies", management.address.vhost):
        if policy["name"] not in before:
            management.delete("policies", management.address.vhost, policy["name"])
