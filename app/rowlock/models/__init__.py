from rowlock.models.run import Run
from rowlock.models.schedule import Missed, Schedule
from rowlock.models.state import FINAL, UNFINISHED, State
from rowlock.models.token import ApiToken

__all__ = ["FINAL", "UNFINISHED", "ApiToken", "Missed", "Run", "Schedule", "State"]
