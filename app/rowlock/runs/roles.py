"""The roles that people have: what they may see and do, as permissions of Django's users."""

from typing import Any, Literal, get_args

from django.contrib.auth.models import Permission
from django.db import transaction

from rowlock import audit
from rowlock.runs.errors import OptionsError

Role = Literal["none", "viewer", "submitter", "operator"]

#: What each role may beyond the one before it.
ROLES: tuple[Role, ...] = get_args(Role)
_CODENAMES: dict[Role, tuple[str, ...]] = {
    "none": (),
    "viewer": ("view_run",),
    "submitter": ("view_run", "submit_run"),
    "operator": ("view_run", "submit_run", "operate_run"),
}


def role_of(user: Any) -> Role:
    """The role that the rights of `user` amount to, wherever they have them from."""
    role: Role = "none"
    for candidate in ROLES:
        if _CODENAMES[candidate] and user.has_perm(f"rowlock.{_CODENAMES[candidate][-1]}"):
            role = candidate
    return role


def set_role(user: Any, role: Role, *, actor: str, via: audit.Way) -> None:
    """Give `user` exactly what `role` may, on record as `actor`'s.

    Raises OptionsError where they would keep more: superusers, and members of a group that has it.
    """
    if role not in ROLES:
        raise OptionsError(f"There is no role {str(role)[:50]!r}; it must be one of {', '.join(ROLES)}.")
    before = role_of(user)
    with transaction.atomic():
        all_of_them = Permission.objects.filter(
            content_type__app_label="rowlock", codename__in=_CODENAMES["operator"], content_type__model="run"
        )
        user.user_permissions.remove(*all_of_them)
        user.user_permissions.add(*all_of_them.filter(codename__in=_CODENAMES[role]))
        fresh = type(user)._default_manager.get(pk=user.pk)
        if (kept := role_of(fresh)) != role:
            why = "is a superuser" if fresh.is_superuser else "has it by a group"
            raise OptionsError(f"{user.get_username()} would still be {kept}: the user {why}. Change that first.")
        audit.record(
            actor=actor,
            action="role",
            kind="user",
            target=user.get_username(),
            detail={"from": before, "to": role},
            via=via,
        )
