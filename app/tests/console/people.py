"""Who looks at the console in tests."""

from django.contrib.auth.models import Permission, User
from django.test import Client

ROLES = {"viewer": ["view_run"], "submitter": ["submit_run"], "operator": ["operate_run"], "nobody": []}


def user_of(role: str) -> User:
    """A user who is called as the role that they have."""
    user, is_new = User.objects.get_or_create(username=role)
    if is_new:
        user.user_permissions.set(
            Permission.objects.filter(content_type__app_label="rowlock", codename__in=ROLES[role])
        )
    return user


def client_of(role: str, **options: object) -> Client:
    """Their browser, logged in."""
    client = Client(**options)  # type: ignore[arg-type]
    client.force_login(user_of(role))
    return client
