"""Hearing of changes at once over Redis, and going on without it."""

import asyncio
import socket
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from django.conf import settings as project
from pytest_django import Settings

from rowlock import announce
from rowlock.live import announcements, feed
from rowlock.live.feed import Feed, listening
from rowlock.models import State
from tests.live.clients import change, make, run
from tests.processes import free_port
from tests.runs.factory import ago


@contextmanager
def impostor(*, answers: bool) -> Iterator[tuple[str, list[str]]]:
    """The URL of a Redis that hangs up, or says nothing; and a note of each connection to it."""
    seen: list[str] = []
    kept: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            seen.append("a connection")
            if answers:
                client.close()
            else:
                kept.append(client)

    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0", seen
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for client in kept:
            client.close()


def announce_to(url: str, settings: Settings) -> None:
    settings.ROWLOCK = {**settings.ROWLOCK, "LIVE_REDIS_URL": url}
    announce.announce()


def test_without_redis_nothing_is_announced(settings: Settings) -> None:
    announce_to("", settings)


def test_a_redis_that_is_down_is_no_error(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    announce_to(f"redis://127.0.0.1:{free_port()}/0", settings)

    assert "Redis does not answer" in caplog.text


def test_a_redis_that_says_nothing_is_not_waited_for_long(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announce, "TIMEOUT", 0.1)

    with impostor(answers=False) as (url, seen):
        announce_to(url, settings)

    assert seen == ["a connection"]


def test_after_a_failure_redis_is_left_alone_for_a_while(settings: Settings) -> None:
    with impostor(answers=True) as (url, seen):
        announce_to(url, settings)
        announce.announce()

    assert seen == ["a connection"]


class Door:
    """A way to Redis that can be shut."""

    def __init__(self) -> None:
        self.port = free_port()
        self._writers: list[StreamWriter] = []
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)

    async def shut(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.close()

    async def _pass(self, reader: StreamReader, writer: StreamWriter) -> None:
        url = urlsplit(str(project.ENV.REDIS_URL))
        inner_reader, inner_writer = await asyncio.open_connection(url.hostname, url.port or 6379)
        self._writers += [writer, inner_writer]
        await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))


async def _pump(reader: StreamReader, writer: StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
    except OSError:
        pass
    writer.close()


async def until_coming(stream: Feed, coming: bool) -> None:
    async with asyncio.timeout(30):
        while stream.announcements is None or stream.announcements.are_coming != coming:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@pytest.fixture
def only_announcements(real_services: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks by themselves while announcements come."""
    monkeypatch.setattr(feed, "ANNOUNCED_INTERVAL", 3600)
    monkeypatch.setattr(announcements, "LONGEST_PAUSE", 0.5)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("only_announcements")
def test_an_announced_change_is_seen_at_once(settings: Settings) -> None:
    settings.ROWLOCK = {**settings.ROWLOCK, "LIVE_REDIS_URL": project.ENV.REDIS_URL}

    async def scenario() -> bool:
        made = await make(changed=ago(minutes=1))
        async with listening() as stream:
            await until_coming(stream, True)
            await asyncio.sleep(0.2)
            await change(made, state=State.STARTED)
            await asyncio.to_thread(announce.announce)
            while (batch := stream.after(0)) is None:
                await stream.news(5)
            return made.id in batch.ids

    assert run(scenario())


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("only_announcements")
def test_changes_are_seen_while_redis_is_away_and_when_it_is_back(settings: Settings) -> None:
    door = Door()
    url = urlsplit(str(project.ENV.REDIS_URL))
    netloc = f"{url.netloc.rpartition('@')[0]}@127.0.0.1:{door.port}".removeprefix("@")
    settings.ROWLOCK = {**settings.ROWLOCK, "LIVE_REDIS_URL": url._replace(netloc=netloc).geturl()}

    async def scenario() -> bool:
        made = await make(changed=ago(minutes=1))
        await door.open()
        async with listening() as stream:
            await until_coming(stream, True)
            await door.shut()
            await until_coming(stream, False)
            await change(made, state=State.STARTED)
            while stream.after(0) is None:
                await stream.news(5)
            await door.open()
            await until_coming(stream, True)
            place = stream.last
            await change(made, state=State.SUCCEEDED)
            await asyncio.to_thread(announce.announce)
            while stream.after(place) is None:
                await stream.news(5)
        await door.shut()
        return True

    assert run(scenario())
