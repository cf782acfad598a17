"""What can be wrong with a request about schedules. Each message is for the person who made it and says what to do."""

from collections.abc import Mapping

from rowlock.runs.errors import OptionsError, RunError


class ScheduleError(OptionsError):
    """Beat could not follow a schedule with these values; `fields` has what is wrong with which of them."""

    def __init__(self, message: str, *, fields: Mapping[str, str]) -> None:
        super().__init__(message)
        self.fields = dict(fields)


class NameTakenError(ScheduleError):
    """Another schedule has the name."""


class FromSettingsError(RunError):
    """The schedule comes from the project's settings, and can only be switched."""


class NoSuchScheduleError(RunError):
    """There is no schedule of this id."""


def wrong(field: str, message: str) -> ScheduleError:
    """The error that `message` tells of one field."""
    return ScheduleError(message, fields={field: message})
