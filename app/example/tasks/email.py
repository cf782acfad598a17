import smtplib

from celery import Task, shared_task
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email

from example.tasks.errors import BadInput

LONGEST_MESSAGE = 5000


@shared_task(
    bind=True,
    throws=(BadInput,),
    autoretry_for=(OSError, smtplib.SMTPException),
    max_retries=5,
    retry_backoff=2,
    retry_backoff_max=300,
    retry_jitter=True,
)
def send_confirmation(self: Task, address: str, message: str) -> dict[str, str]:
    """Thank the sender of `message` and quote it."""
    _check(address, message)
    quoted = "\n".join(f"> {line}" for line in message.splitlines())
    email = EmailMessage(
        subject="We have your message",
        body=f"Thank you. You wrote:\n\n{quoted}\n",
        to=[address],
        # A mail cannot be unsent: a task delivered twice sends the same Message-ID, which mail systems fold into one.
        headers={"Message-ID": f"<{self.request.id}@rowlock.invalid>"} if self.request.id else None,
    )
    try:
        email.send()
    except smtplib.SMTPRecipientsRefused as error:
        if all(code >= 500 for code, _ in error.recipients.values()):
            raise BadInput(f"The mail server refuses the address {address}.") from error
        raise
    return {"sent_to": address}


def _check(address: object, message: object) -> None:
    try:
        validate_email(address if isinstance(address, str) else None)
    except ValidationError:
        raise BadInput(f"{address!r} is not an email address.") from None
    if not isinstance(message, str) or not message.strip():
        raise BadInput("The message is empty.")
    if len(message) > LONGEST_MESSAGE:
        raise BadInput(f"The message has {len(message)} characters; {LONGEST_MESSAGE} is the most.")
