import smtplib
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from example.tasks.email import send_confirmation
from example.tasks.errors import BadInput
from tests.example.conftest import Run

pytestmark = pytest.mark.django_db


def test_the_sender_gets_a_mail_that_quotes_the_message(run: Run) -> None:
    result = run(send_confirmation, "ann@example.com", "Hello,\nworld.")

    assert result == {"sent_to": "ann@example.com"}
    assert mail.outbox[0].to == ["ann@example.com"]
    assert "> Hello,\n> world.\n" in mail.outbox[0].body


def test_a_task_that_is_delivered_twice_sends_one_message_id() -> None:
    for _ in range(2):
        send_confirmation.apply(args=["ann@example.com", "Hello"], task_id="same")

    assert [message.extra_headers["Message-ID"] for message in mail.outbox] == ["<same@rowlock.invalid>"] * 2


@pytest.mark.parametrize(
    "address", ["ann", "", None, 7, "ann@example.com\nBcc: bob@example.com", "a@b.example, c@d.example"]
)
def test_what_is_no_address_is_refused(run: Run, address: Any) -> None:
    with pytest.raises(BadInput, match="is not an email address"):
        run(send_confirmation, address, "Hello")
    assert not mail.outbox


@pytest.mark.parametrize(("message", "reason"), [("  ", "empty"), (None, "empty"), ("x" * 5001, "5000 is the most")])
def test_a_message_that_is_empty_or_too_long_is_refused(run: Run, message: Any, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        run(send_confirmation, "ann@example.com", message)


class FailingServer:
    """Raises `errors` in turn, then sends."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *errors: Exception) -> None:
        self.calls = 0
        send = EmailBackend.send_messages

        def send_messages(backend: EmailBackend, messages: Any) -> int:
            self.calls += 1
            if self.calls <= len(errors):
                raise errors[self.calls - 1]
            return send(backend, messages)

        monkeypatch.setattr(EmailBackend, "send_messages", send_messages)


def test_a_mail_server_that_is_away_is_tried_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    FailingServer(monkeypatch, ConnectionRefusedError(), smtplib.SMTPServerDisconnected("gone"))

    run(send_confirmation, "ann@example.com", "Hello")

    assert len(mail.outbox) == 1


def test_after_five_retries_the_error_is_the_result(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    server = FailingServer(monkeypatch, *[ConnectionRefusedError("away")] * 10)

    with pytest.raises(ConnectionRefusedError, match="away"):
        run(send_confirmation, "ann@example.com", "Hello")
    assert server.calls == 6


def test_an_address_that_the_server_refuses_is_not_tried_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = smtplib.SMTPRecipientsRefused({"ann@example.com": (550, b"no such user")})
    server = FailingServer(monkeypatch, refusal)

    with pytest.raises(BadInput, match="refuses the address ann@"):
        run(send_confirmation, "ann@example.com", "Hello")
    assert server.calls == 1
