"""The form of a schedule: every field of it, with what is wrong said beside the field."""

from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils import timezone
from django_celery_beat.models import PeriodicTask, SolarSchedule, crontab_schedule_celery_timezone

from rowlock.console.json_field import JsonTextField
from rowlock.models import Missed
from rowlock.redaction import hides_arguments
from rowlock.runs import registry
from rowlock.runs.errors import ArgumentsError, RunError, UnknownTaskError
from rowlock.schedules.editing import OF_EVERY_SCHEDULE
from rowlock.schedules.errors import ScheduleError
from rowlock.schedules.followed import KINDS
from rowlock.schedules.presentation import is_from_settings, stored_arguments
from rowlock.schedules.times import CRONTAB_FIELDS, next_times, spoken, unsaved_row_of

#: Times that a preview shows.
PREVIEWED = 5

_KIND_FIELDS = {
    "interval": ("every", "period"),
    "crontab": (*CRONTAB_FIELDS, "timezone"),
    "clocked": ("at",),
    "solar": ("event", "latitude", "longitude"),
}
_PERIODS = ("seconds", "minutes", "hours", "days", "microseconds")
_LARGEST = 2**31 - 1
#: As `datetime-local` inputs want it.
_MOMENT = "%Y-%m-%dT%H:%M:%S"


class _Moment(forms.DateTimeField):
    """A moment in this server's time zone."""

    def __init__(self, **options: Any) -> None:
        widget = forms.DateTimeInput(format=_MOMENT, attrs={"type": "datetime-local", "step": "1"})
        super().__init__(widget=widget, **options)


class ScheduleForm(forms.Form):
    """All of a schedule. `values` are for `editing.create` and `editing.change`, `preview` for the person."""

    name = forms.CharField(max_length=200, help_text="Unique among all schedules.")
    task = forms.ChoiceField()
    kind = forms.ChoiceField(
        label="When",
        choices=[
            ("interval", "Every so often"),
            ("crontab", "At times of the clock and calendar"),
            ("clocked", "Once"),
            ("solar", "With the sun"),
        ],
        widget=forms.RadioSelect,
        initial="interval",
    )
    every = forms.IntegerField(required=False, min_value=1, max_value=_LARGEST, initial=10)
    period = forms.ChoiceField(required=False, choices=[(name, name) for name in _PERIODS], initial="minutes")
    minute = forms.CharField(required=False, max_length=240, initial="0", help_text="0 to 59: 0, */15, 5,35 or *")
    hour = forms.CharField(required=False, max_length=96, initial="*", help_text="0 to 23: 3, 8-17 or *")
    day_of_month = forms.CharField(required=False, max_length=124, initial="*", help_text="1 to 31")
    month_of_year = forms.CharField(required=False, max_length=64, initial="*", help_text="1 to 12")
    day_of_week = forms.CharField(required=False, max_length=64, initial="*", help_text="mon-fri, sat,sun or *")
    timezone = forms.CharField(required=False, max_length=100, label="Time zone", help_text="As in Europe/Berlin.")
    at = _Moment(required=False, label="At")
    event = forms.ChoiceField(
        required=False,
        choices=[(name, name.replace("_", " ")) for name, _ in SolarSchedule._meta.get_field("event").choices or ()],
        initial="sunrise",
    )
    latitude = forms.FloatField(required=False, min_value=-90, max_value=90, help_text="-90 to 90, north is positive.")
    longitude = forms.FloatField(
        required=False, min_value=-180, max_value=180, help_text="-180 to 180, east is positive."
    )
    args = JsonTextField(kind=list, label="Arguments by place", help_text='A JSON list: [1, "two"]')
    kwargs = JsonTextField(kind=dict, label="Arguments by name", help_text='A JSON object: {"name": 1}')
    queue = forms.ChoiceField(required=False, help_text="Where the task's route leads, unless you choose another.")
    priority = forms.IntegerField(required=False, min_value=0, max_value=255, help_text="0 to 255; higher comes first.")
    expire_seconds = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=_LARGEST,
        label="Expires after (seconds)",
        help_text="A run that has not started by then is not worth starting any more.",
    )
    starts = _Moment(required=False, label="Starts", help_text="Nothing is due before.")
    ends = _Moment(required=False, label="Ends", help_text="The schedule is disabled then.")
    missed = forms.ChoiceField(
        label="Missed times",
        choices=Missed.choices,
        initial=Missed.SKIP,
        help_text="What becomes of the times that pass while beat is away.",
    )
    one_off = forms.BooleanField(required=False, label="Disable it after one run")
    enabled = forms.BooleanField(required=False, initial=True, label="Enabled")
    description = forms.CharField(required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, data: Any = None, *, schedule: PeriodicTask | None = None) -> None:
        initial = {} if schedule is None else _initial(schedule)
        super().__init__(data, initial=initial, label_suffix="")
        self.schedule = schedule
        self.hides_arguments = schedule is not None and hides_arguments(schedule.task)
        self.is_from_settings = schedule is not None and is_from_settings(schedule)
        self._offer("task", registry.task_names(), initial.get("task"), first=("", "Choose a task"))
        self._offer("queue", registry.queue_names(), initial.get("queue"), first=("", "As routed"))
        zone = self.fields["timezone"]
        zone.widget.attrs["placeholder"] = str(crontab_schedule_celery_timezone())
        if self.is_from_settings:
            for name in self.fields.keys() - OF_EVERY_SCHEDULE:
                self.fields[name].disabled = True

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in _KIND_FIELDS.get(cleaned.get("kind", ""), ()):
            if name != "timezone" and name not in self.errors and cleaned.get(name) in (None, ""):
                self.add_error(name, _MISSING.get(name, "Fill this in."))
        if (zone := cleaned.get("timezone")) and zone not in available_timezones():
            self.add_error("timezone", f"There is no time zone {zone!r}; write it as in Europe/Berlin or UTC.")
        return cleaned

    @property
    def values(self) -> dict[str, Any]:
        """What to make of a new schedule, or to change of this one; only what differs from it."""
        cleaned = self.cleaned_data
        names = {name for name in self.fields if self.schedule is None or name in self.changed_data}
        values = {name: cleaned[name] for name in names & _PLAIN}
        if "queue" in values:
            values["queue"] = values["queue"] or None
        for name in ("args", "kwargs"):
            # Hidden ones are shown empty, and stay if they are left so.
            if name in names and not (self.hides_arguments and not self.data.get(name, "").strip()):
                values[name] = cleaned[name]
        if names & {"kind", *_KIND_FIELDS[cleaned["kind"]]}:
            values["schedule"] = self._when()
        return values

    def refuse(self, error: RunError) -> None:
        """Say what `rowlock.schedules.editing` found, by the field."""
        if isinstance(error, ScheduleError) and error.fields:
            for name, message in error.fields.items():
                self.add_error(name if name in self.fields else None, message)
        elif isinstance(error, ArgumentsError):
            self.add_error("args", str(error))
        elif isinstance(error, UnknownTaskError):
            self.add_error("task", str(error))
        else:
            self.add_error(None, str(error))

    def preview(self) -> "Preview":
        """The times that the form says, whatever else is wrong with it."""
        self.full_clean()
        kind = self.cleaned_data.get("kind", "")
        wrong = [name for name in _KIND_FIELDS.get(kind, ("kind",)) if name in self.errors]
        if wrong:
            return Preview(
                reason=f"{self.fields[wrong[0]].label or wrong[0].replace('_', ' ').capitalize()}: "
                f"{self.errors[wrong[0]][0]}"
            )
        task = PeriodicTask(name="", start_time=self.cleaned_data.get("starts"), expires=self.cleaned_data.get("ends"))
        try:
            setattr(task, kind, unsaved_row_of(self._when()))
        except RunError as error:
            return Preview(reason=str(error))
        return Preview(words=spoken(task), times=next_times(task, PREVIEWED))

    def _when(self) -> dict[str, Any]:
        kind = self.cleaned_data["kind"]
        values = {name: self.cleaned_data.get(name) for name in _KIND_FIELDS[kind]}
        return {"type": kind, **values}

    def _offer(self, name: str, choices: list[str], current: str | None, *, first: tuple[str, str]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        # A schedule may name what this project has no longer, or only another service has.
        known = choices if not current or current in choices else [*choices, current]
        field.choices = [first, *((one, one) for one in known)]


class Preview:
    """What the times of a form mean: in words, the next ones, or the reason why that cannot be told."""

    def __init__(self, *, words: str = "", times: list[datetime] | None = None, reason: str = "") -> None:
        self.words, self.times, self.reason = words, times or [], reason


_MISSING = {
    "every": "Give a whole number, as in 10.",
    "at": "Give a date and a time.",
    "latitude": "Give the place's latitude, as in 52.52.",
    "longitude": "Give the place's longitude, as in 13.40.",
}
_PLAIN = {
    "name",
    "task",
    "queue",
    "priority",
    "expire_seconds",
    "starts",
    "ends",
    "missed",
    "one_off",
    "enabled",
    "description",
}


def _initial(schedule: PeriodicTask) -> dict[str, Any]:
    args, kwargs = (None, None) if hides_arguments(schedule.task) else stored_arguments(schedule)
    found: dict[str, Any] = {
        "name": schedule.name,
        "task": schedule.task,
        "args": args,
        "kwargs": kwargs,
        "queue": schedule.queue or "",
        "priority": schedule.priority,
        "expire_seconds": schedule.expire_seconds,
        "starts": schedule.start_time,
        "ends": schedule.expires,
        "missed": schedule.rowlock.missed if hasattr(schedule, "rowlock") else Missed.SKIP,
        "one_off": schedule.one_off,
        "enabled": schedule.enabled,
        "description": schedule.description,
        "kind": next((kind for kind in KINDS if getattr(schedule, kind)), "interval"),
    }
    if schedule.interval:
        found |= {"every": schedule.interval.every, "period": schedule.interval.period}
    if schedule.crontab:
        found |= {name: getattr(schedule.crontab, name) for name in CRONTAB_FIELDS}
        found["timezone"] = str(schedule.crontab.timezone)
    if schedule.clocked:
        found["at"] = timezone.localtime(schedule.clocked.clocked_time).replace(microsecond=0)
    if schedule.solar:
        found |= {
            "event": schedule.solar.event,
            "latitude": float(schedule.solar.latitude),
            "longitude": float(schedule.solar.longitude),
        }
    return found
