import json

import pytest

from rowlock.collector.configuration import read
from rowlock.conf import ConfigurationError

BROKER = {"BROKER_URL": "amqp://user:password@host//"}


def queues(**queue: object) -> dict[str, str]:
    return {**BROKER, "ROWLOCK_QUEUES": json.dumps({"celery": {"pool": "default", "consumerTimeout": 600, **queue}})}


def test_queues_have_their_pool_and_limits() -> None:
    configuration = read(queues(deliveryLimit=7))

    assert dict(configuration.pools) == {"celery": "default"}
    assert [(limits.consumer_timeout, limits.delivery_limit) for limits in configuration.limits] == [(600, 7)]
    assert configuration.keeps_policies


def test_policies_can_be_left_to_others() -> None:
    assert not read({**queues(), "ROWLOCK_POLICIES": "false"}).keeps_policies


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, "BROKER_URL is missing"),
        ({"BROKER_URL": "embedded://localhost/tmp"}, "BROKER_URL must be a URL like amqp://"),
        (BROKER, "ROWLOCK_QUEUES must name the queues"),
        ({**BROKER, "ROWLOCK_QUEUES": "{"}, "ROWLOCK_QUEUES is not JSON"),
        ({**BROKER, "ROWLOCK_QUEUES": '{"celery": {}}'}, "pool of queue 'celery'"),
        (queues(consumerTimeout=10), "consumerTimeout of queue 'celery'"),
        (queues(consumerTimeout="1h"), "consumerTimeout of queue 'celery'"),
        (queues(deliveryLimit=0), "deliveryLimit of queue 'celery'"),
        ({**queues(), "ROWLOCK_POLICIES": "perhaps"}, "ROWLOCK_POLICIES is 'perhaps'"),
        ({**queues(), "ROWLOCK_RELEASE": "oars"}, "ROWLOCK_POD_NAMESPACE must name its namespace"),
        ({**queues(), "ROWLOCK_PODS_MAX": "{"}, "ROWLOCK_PODS_MAX is not JSON"),
        ({**queues(), "ROWLOCK_PODS_MAX": '{"default": "many"}'}, "ROWLOCK_PODS_MAX must give a number of pods"),
    ],
)
def test_a_mistake_is_told_with_what_is_expected(variables: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read(variables)
