import pytest

from rowlock.broker.management import address


@pytest.mark.parametrize(
    ("broker", "management", "url", "username", "vhost"),
    [
        ("amqp://user:password@host:5672//", "", "http://host:15672", "user", "/"),
        ("amqp://user:password@host", "", "http://host:15672", "user", "/"),
        ("amqps://user:password@host:5671/my%2Fhost", "", "http://host:15672", "user", "my/host"),
        ("amqp://us%40er:password@[::1]/v", "", "http://[::1]:15672", "us@er", "v"),
        # Its own user, or that of the broker.
        ("amqp://user:password@host/v", "https://admin:other@api:443/", "https://api:443", "admin", "v"),
        ("amqp://user:password@host/v", "https://api/rabbit", "https://api/rabbit", "user", "v"),
        # Several for failover.
        ("amqp://user:password@a/v;amqp://user:password@b/v", "", "http://a:15672", "user", "v"),
    ],
)
def test_the_management_api_is_found_by_the_broker(
    broker: str, management: str, url: str, username: str, vhost: str
) -> None:
    found = address(broker, management)

    assert (found.url, found.username, found.vhost) == (url, username, vhost)


@pytest.mark.parametrize(
    ("broker", "management", "named"),
    [
        ("redis://:secret@host", "", "BROKER_URL"),
        ("amqp://user:secret@host:port/", "", "BROKER_URL"),
        ("amqp://user:secret@host/", "ftp://user:secret@host", "RABBITMQ_MANAGEMENT_URL"),
    ],
)
def test_a_url_that_cannot_be_used_is_named_without_its_password(broker: str, management: str, named: str) -> None:
    with pytest.raises(ValueError, match=named) as raised:
        address(broker, management)

    assert "secret" not in str(raised.value)
