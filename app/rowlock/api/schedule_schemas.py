"""What requests about schedules carry and what they are answered."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field

from rowlock.api.fields import Body, Moment, Name, Time, storable
from rowlock.api.timing import When

_NOT_GIVEN: Any = None

Missed = Annotated[
    Literal["skip", "catch_up"],
    Field(
        description="Of the times that pass while beat is away: run the latest one and drop older ones, or run every "
        "one, in order, 1000 at most."
    ),
]


class _Options(Body):
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    queue: Name | None = None
    priority: Annotated[int | None, Field(ge=0, le=255)] = None
    enabled: bool = True
    one_off: Annotated[bool, Field(description="Disable it after one run; a clocked one always is.")] = False
    starts: Annotated[Time | None, Field(description="Nothing is started before.")] = None
    ends: Annotated[Time | None, Field(description="Beat disables it then.")] = None
    expire_seconds: Annotated[
        int | None, Field(ge=1, le=2**31 - 1, description="Seconds after which a run is not worth starting any more.")
    ] = None
    missed: Missed = "skip"
    description: Annotated[str, Field(max_length=10_000), AfterValidator(storable)] = ""


class ScheduleIn(_Options):
    """A task to start again and again, or once at a time."""

    name: Name
    task: Name
    schedule: When


class ScheduleChange(_Options):
    """What to change of a schedule; the rest stays."""

    # What is not given is not looked at; null is a mistake.
    name: Name = _NOT_GIVEN
    task: Name = _NOT_GIVEN
    schedule: When = _NOT_GIVEN


class Schedule(BaseModel):
    """A schedule, and what became of it so far."""

    id: int
    name: str
    task: str
    schedule: When | None
    when: Annotated[str, Field(description="The schedule in words.")]
    args: list[Any] | None
    kwargs: dict[str, Any] | None
    arguments_redacted: bool
    queue: str | None
    priority: int | None
    enabled: bool
    one_off: bool
    starts: Moment | None
    ends: Moment | None
    expire_seconds: int | None
    missed: Missed
    description: str
    from_settings: Annotated[
        bool, Field(description="Beat takes it from the project's settings at each start; it can only be switched.")
    ]
    next: Annotated[Moment | None, Field(description="When it is due next, if that is known.")]
    last_run: Moment | None
    run_count: int
    changed: Moment


class SchedulePage(BaseModel):
    schedules: list[Schedule]
    next: str | None
