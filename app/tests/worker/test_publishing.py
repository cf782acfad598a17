"""Publishing to a broker that is there and does not answer."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from celery import Celery
from django.conf import settings
from kombu.exceptions import OperationalError

from rowlock.celery import install

pytestmark = pytest.mark.usefixtures("real_services")


class Relay:
    """Passes bytes between a client and RabbitMQ until it is told to be silent."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._speaking = threading.Event()
        self._speaking.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def fall_silent(self) -> None:
        self._speaking.clear()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with source, target:
            while data := source.recv(65536):
                if self._speaking.is_set():
                    target.sendall(data)


@contextmanager
def relayed() -> Iterator[tuple[Relay, str]]:
    url = urlsplit(str(settings.ENV.BROKER_URL))
    assert url.hostname, "a broker has a host"
    relay = Relay(url.hostname, url.port or 5672)
    try:
        user = f"{url.username}:{url.password}"
        yield relay, url._replace(netloc=f"{user}@127.0.0.1:{relay.port}").geturl()
    finally:
        relay.close()


def nothing() -> None:
    """Only ever published."""


# The relay's sockets end when the garbage collector says so, after RabbitMQ has gone.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_publishing_to_a_broker_that_fell_silent_ends_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rowlock.celery.task.CONFIRM_TIMEOUT", 2.0)
    with relayed() as (relay, url):
        app = Celery("silent", broker=url, set_as_current=False)
        install(app)
        app.conf.broker_transport_options = {**app.conf.broker_transport_options, "read_timeout": 2}
        task = app.task(nothing)
        task.apply_async(queue="silent")
        relay.fall_silent()

        with pytest.raises((OperationalError, TimeoutError)):
            task.apply_async(queue="silent", retry=False)
