"""The audit log of the command line."""

from typing import Any

from rowlock import audit


def record(action: str, kind: str, target: str, **detail: Any) -> None:
    """Note what the user of this shell does, as `rowlock.audit.record`."""
    audit.record(actor=audit.shell_user(), action=action, kind=kind, target=target, detail=detail, via="cli")
