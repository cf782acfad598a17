"""When schedules are due."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from celery.schedules import solar
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask
from django_celery_beat.tzcrontab import TzAwareCrontab

from rowlock.schedules.slots import Crontab, Interval, NeverDueError, Solar, Timing, timing_of

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def crontab(text: str, zone: str = "UTC") -> Crontab:
    minute, hour, day, month, weekday = text.split()
    return Crontab.of(TzAwareCrontab(minute, hour, weekday, day, month, tz=ZoneInfo(zone)))


def following(timing: Timing, after: datetime, count: int) -> list[datetime]:
    slots = []
    for _ in range(count):
        slot = timing.next(after)
        assert slot is not None, f"no slot after {after}"
        slots.append(slot)
        after = slot
    return slots


def in_berlin(slots: list[datetime]) -> list[str]:
    return [slot.astimezone(BERLIN).strftime("%d %H:%M %Z") for slot in slots]


@pytest.mark.parametrize(
    ("period", "after", "slots"),
    [
        (timedelta(seconds=10), "2026-03-01T12:00:07", ["2026-03-01T12:00:10", "2026-03-01T12:00:20"]),
        # A slot is not later than itself.
        (timedelta(seconds=10), "2026-03-01T12:00:10", ["2026-03-01T12:00:20", "2026-03-01T12:00:30"]),
        (timedelta(hours=6), "2026-03-01T12:00:07", ["2026-03-01T18:00:00", "2026-03-02T00:00:00"]),
        (timedelta(days=1), "2026-03-28T12:00:00", ["2026-03-29T00:00:00", "2026-03-30T00:00:00"]),
        # Weeks begin where the epoch did, on a Thursday.
        (timedelta(days=7), "2026-03-01T12:00:00", ["2026-03-05T00:00:00", "2026-03-12T00:00:00"]),
        (
            timedelta(microseconds=250_000),
            "2026-03-01T12:00:00.1",
            ["2026-03-01T12:00:00.250", "2026-03-01T12:00:00.5"],
        ),
    ],
)
def test_slots_of_an_interval_are_multiples_of_it_since_the_epoch(
    period: timedelta, after: str, slots: list[str]
) -> None:
    assert following(Interval(period), at(after), 2) == [at(slot) for slot in slots]


def test_an_interval_of_nothing_is_refused() -> None:
    with pytest.raises(NeverDueError, match="longer than nothing"):
        Interval(timedelta())


@pytest.mark.parametrize(
    ("text", "zone", "after", "slots"),
    [
        ("*/20 * * * *", "UTC", "2026-03-01T12:10:00", ["2026-03-01T12:20", "2026-03-01T12:40"]),
        ("0 4 * * *", "Asia/Tokyo", "2026-03-01T12:00:00", ["2026-03-01T19:00", "2026-03-02T19:00"]),
        ("30 9 * * mon-fri", "UTC", "2026-02-27T10:00:00", ["2026-03-02T09:30", "2026-03-03T09:30"]),
        ("0 0 31 * *", "UTC", "2026-04-01T00:00:00", ["2026-05-31T00:00", "2026-07-31T00:00"]),
        ("0 0 29 2 *", "UTC", "2026-04-01T00:00:00", ["2028-02-29T00:00", "2032-02-29T00:00"]),
        # All parts must match, as Celery has it and cron has not.
        ("0 0 1 * 0", "UTC", "2026-03-02T00:00:00", ["2026-11-01T00:00", "2027-08-01T00:00"]),
        ("0 0 29 2 1", "UTC", "2080-01-01T00:00:00", ["2112-02-29T00:00"]),
    ],
)
def test_slots_of_a_crontab_are_its_minutes(text: str, zone: str, after: str, slots: list[str]) -> None:
    assert following(crontab(text, zone), at(after), len(slots)) == [at(slot) for slot in slots]


@pytest.mark.parametrize(
    ("text", "slots"),
    [
        ("30 2 * * *", ["28 02:30 CET", "29 03:30 CEST", "30 02:30 CEST"]),
        ("30 * * * *", ["28 00:30 CET", "28 01:30 CET", "28 02:30 CET"]),
    ],
)
def test_a_time_that_the_clock_skips_is_due_once_as_much_later(text: str, slots: list[str]) -> None:
    assert in_berlin(following(crontab(text, "Europe/Berlin"), at("2026-03-27T23:00"), 3)) == slots


def test_no_minute_of_the_night_in_spring_is_due_twice() -> None:
    night = following(crontab("*/30 * * * *", "Europe/Berlin"), at("2026-03-29T00:00"), 4)

    assert in_berlin(night) == ["29 01:30 CET", "29 03:00 CEST", "29 03:30 CEST", "29 04:00 CEST"]


def test_a_time_that_the_clock_shows_twice_is_due_once() -> None:
    slots = following(crontab("30 2 * * *", "Europe/Berlin"), at("2026-10-24T12:00"), 2)

    assert in_berlin(slots) == ["25 02:30 CEST", "26 02:30 CET"]


def test_what_is_due_every_half_hour_is_due_in_both_hours_that_look_alike() -> None:
    slots = following(crontab("*/30 * * * *", "Europe/Berlin"), at("2026-10-24T23:59"), 5)

    assert in_berlin(slots) == ["25 02:00 CEST", "25 02:30 CEST", "25 02:00 CET", "25 02:30 CET", "25 03:00 CET"]


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25", "2026-06-01"])
@pytest.mark.parametrize("text", ["*/20 * * * *", "30 2 * * *", "15,45 1-3 * * *"])
def test_slots_are_the_same_seen_from_behind(text: str, day: str) -> None:
    timing = crontab(text, "Europe/Berlin")
    begin, end = at(f"{day}T00:00") - timedelta(days=1), at(f"{day}T00:00") + timedelta(days=1)

    ahead = [slot for slot in following(timing, begin, 200) if slot <= end]

    assert list(timing.back(begin, end))[::-1] == ahead


def test_what_was_missed_long_is_told_from_the_end() -> None:
    timing = Interval(timedelta(seconds=1))

    assert list(islice(timing.back(at("1980-01-01"), at("2026-01-01T00:00:00.5")), 2)) == [
        at("2026-01-01T00:00:00"),
        at("2025-12-31T23:59:59"),
    ]


def test_the_sun_rises_once_a_day_wherever_one_looks_from() -> None:
    timing = Solar(solar("sunrise", 52.5, 13.4))
    rises = following(timing, at("2026-06-01T12:00"), 3)

    assert [rise.date().day for rise in rises] == [2, 3, 4]
    for minutes in range(1, 600, 7):
        assert timing.next(rises[1] - timedelta(minutes=minutes)) == rises[1], f"from {minutes} minutes before"
    assert list(timing.back(rises[0], rises[2])) == rises[:0:-1]


def test_a_clocked_schedule_is_due_at_its_time() -> None:
    moment = at("2026-03-01T12:00")
    timing = timing_of(PeriodicTask(clocked=ClockedSchedule(clocked_time=moment)))

    assert (timing.next(moment - timedelta(days=9)), timing.next(moment)) == (moment, None)
    assert list(timing.back(moment - timedelta(days=1), moment)) == [moment]


def test_an_interval_with_a_start_is_counted_from_it() -> None:
    task = PeriodicTask(interval=IntervalSchedule(every=1, period="hours"), start_time=at("2026-03-01T12:07"))

    assert following(timing_of(task), at("2026-02-01T00:00"), 2) == [at("2026-03-01T12:07"), at("2026-03-01T13:07")]


def test_a_crontab_with_a_start_is_due_at_its_first_minute_from_then() -> None:
    task = PeriodicTask(
        crontab=CrontabSchedule(minute="0", timezone=ZoneInfo("UTC")), start_time=at("2026-03-01T12:07")
    )

    assert timing_of(task).next(at("2026-02-01T00:00")) == at("2026-03-01T13:00")


def test_a_schedule_is_not_due_at_its_end() -> None:
    every_minute = IntervalSchedule(every=1, period="minutes")
    timing = timing_of(PeriodicTask(interval=every_minute, expires=at("2026-03-01T12:02")))

    assert timing.next(at("2026-03-01T12:00:30")) == at("2026-03-01T12:01")
    assert timing.next(at("2026-03-01T12:01:00")) is None
    assert list(timing.back(at("2026-03-01T12:00:00"), at("2026-03-01T13:00"))) == [at("2026-03-01T12:01")]


def test_a_row_without_a_schedule_is_never_due() -> None:
    with pytest.raises(NeverDueError, match="no interval, crontab"):
        timing_of(PeriodicTask())
