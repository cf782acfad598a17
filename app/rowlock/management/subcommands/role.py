from django.contrib.auth import get_user_model
from django.core.management.base import CommandError, CommandParser

from rowlock import audit
from rowlock.management.output import Output
from rowlock.management.subcommand import Options, Subcommand
from rowlock.runs.roles import ROLES, role_of, set_role


def _add_arguments(parser: CommandParser) -> None:
    parser.add_argument("user", metavar="USER", help="the name of a user")
    parser.add_argument("role", nargs="?", choices=ROLES, help="what they may from now on; left out, it is shown")


def _run(options: Options, output: Output) -> None:
    users = get_user_model()
    try:
        user = users._default_manager.get_by_natural_key(options["user"])
    except users.DoesNotExist:
        raise CommandError(f"There is no user {options['user']!r}; `manage.py createsuperuser` makes one.") from None
    if options["role"] is None:
        output.line(role_of(user))
        return
    set_role(user, options["role"], actor=audit.shell_user(), via="cli")
    output.line(f"{user.get_username()}: {options['role']}")


SUBCOMMAND = Subcommand(
    name="role",
    help="show or set what a user may: see runs (viewer), submit too (submitter), everything (operator)",
    add_arguments=_add_arguments,
    run=_run,
)
