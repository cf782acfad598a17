"""Runs: tasks that were accepted, and everything that is known of each.

from rowlock import runs

run = runs.submit("shop.tasks.send_invoice", [order.id], key=f"invoice-{order.id}")
"""

from rowlock.models import Run, State
from rowlock.runs.accepting import Submission, submit, submit_many
from rowlock.runs.errors import RunError
from rowlock.runs.reporting import progress
from rowlock.runs.steering import Cancellation, cancel, cancel_all, republish, retry, retry_all

__all__ = [
    "Cancellation",
    "Run",
    "RunError",
    "State",
    "Submission",
    "cancel",
    "cancel_all",
    "progress",
    "republish",
    "retry",
    "retry_all",
    "submit",
    "submit_many",
]
