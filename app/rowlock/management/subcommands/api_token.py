from datetime import timedelta

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from rowlock.management.arguments import duration_or_moment
from rowlock.management.output import Output
from rowlock.management.recording import record
from rowlock.management.subcommand import Options, Subcommand
from rowlock.models import ApiToken
from rowlock.models.token import hash_of, new_secret


def _add_arguments(parser: CommandParser) -> None:
    parser.add_argument("user", metavar="USER", help="the name of the user whose rights it has")
    parser.add_argument("--name", required=True, help="what it is for, to tell tokens apart")
    parser.add_argument(
        "--expires", type=duration_or_moment, metavar="WHEN", help="not valid after this: 90d or a time"
    )


def _run(options: Options, output: Output) -> None:
    users = get_user_model()
    try:
        user = users._default_manager.get_by_natural_key(options["user"])
    except users.DoesNotExist:
        raise CommandError(f"There is no user {options['user']!r}; `manage.py createsuperuser` makes one.") from None
    longest = ApiToken._meta.get_field("name").max_length
    if not options["name"] or len(options["name"]) > (longest or 0):
        raise CommandError(f"--name must have 1 to {longest} characters.")
    expires = options["expires"]
    if isinstance(expires, timedelta):
        expires = timezone.now() + expires
    if expires is not None and expires <= timezone.now():
        raise CommandError("--expires is in the past.")
    secret = new_secret()
    with transaction.atomic():
        ApiToken.objects.create(user=user, name=options["name"], hash=hash_of(secret), expires=expires)
        record("create", "token", options["name"], user=options["user"], expires=expires)
    output.line(secret)
    output.remark("Keep it now, it is shown only this once. Use: Authorization: Bearer <token>")


SUBCOMMAND = Subcommand(
    name="token", help="make a token of the HTTP API for a user and print it", add_arguments=_add_arguments, run=_run
)
