"""Rowlock's own tasks."""

from celery import shared_task

from rowlock.upkeep import prune


@shared_task(name="rowlock.prune")
def prune_runs() -> int:
    """Delete finished runs that are older, or more, than ROWLOCK's RETENTION_DAYS and RETENTION_COUNT allow.

    And what is kept of who did what (AUDIT_DAYS), and of workers that are no more.
    """
    return prune()
