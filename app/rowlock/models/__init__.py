from rowlock.models.audit import AuditEntry, Via
from rowlock.models.log import RunLog
from rowlock.models.minute import Minute
from rowlock.models.paused_queue import PausedQueue
from rowlock.models.queue_sample import QueueSample
from rowlock.models.run import Run
from rowlock.models.schedule import Missed, Schedule
from rowlock.models.state import FINAL, UNFINISHED, State
from rowlock.models.token import ApiToken
from rowlock.models.worker import Worker

__all__ = [
    "FINAL",
    "UNFINISHED",
    "ApiToken",
    "AuditEntry",
    "Minute",
    "Missed",
    "PausedQueue",
    "QueueSample",
    "Run",
    "RunLog",
    "Schedule",
    "State",
    "Via",
    "Worker",
]
