"""A service that fails, or says nothing at all, never keeps a scrape waiting."""

import ssl
import threading
import urllib.error
from collections.abc import Iterator

import pytest

from rowlock.broker.management import Forbidden, Unreachable
from rowlock.collector import watching
from rowlock.collector.failing import Reason, reason_of
from rowlock.collector.watching import Answer, Watcher
from tests.processes import wait_until


@pytest.fixture
def silence() -> Iterator[threading.Event]:
    """What nobody answers before it is set."""
    event = threading.Event()
    yield event
    event.set()


def test_the_last_answer_is_told() -> None:
    watcher = Watcher("test", lambda: 3).start()

    assert wait_until("an answer", watcher.last) == Answer(found=3, reason=None)


def test_a_service_that_has_been_silent_for_long_counts_as_away(
    silence: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LONGEST_AGE", 0.05)
    watcher = Watcher("test", silence.wait).start()

    assert wait_until("an answer", watcher.last) == Answer(found=None, reason="unreachable")


def test_a_question_that_hangs_is_asked_anew(silence: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LONGEST_QUESTION", 0.05)
    asked: list[int] = []

    def look() -> int:
        asked.append(1)
        if len(asked) == 1:
            silence.wait()
        return len(asked)

    watcher = Watcher("test", look).start()

    assert wait_until("an answer", watcher.last) == Answer(found=2, reason=None)


def test_a_change_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    asked: list[int] = []

    def look() -> int:
        asked.append(1)
        if len(asked) > 4:
            # Its thread lives as long as this process, and rests from here on.
            threading.Event().wait()
        raise OSError("no route to host")

    Watcher("redis", look, interval=0.01).start()
    wait_until("a few questions", lambda: len(asked) > 3)

    said = [record.message for record in caplog.records if record.message.startswith("redis")]
    assert said == ["redis cannot be watched (unreachable): OSError: no route to host"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (urllib.error.URLError(ssl.SSLCertVerificationError("expired")), "certificate"),
        (Forbidden("401"), "credentials"),
        (Unreachable("no answer"), "unreachable"),
        (TimeoutError("timed out"), "unreachable"),
        (Exception('connection failed: FATAL:  password authentication failed for user "rowlock"'), "credentials"),
        (Exception("connection failed: server certificate has expired"), "certificate"),
        (Exception("connection to server at 10.0.0.1 failed: Connection refused"), "unreachable"),
        (Exception("could not translate host name"), "unreachable"),
        (KeyError("used_memory"), "other"),
    ],
)
def test_the_reason_is_told_from_what_the_client_says(error: Exception, reason: Reason) -> None:
    assert reason_of(error) == reason
