"""How long the first message has waited, from counts alone."""

from rowlock.collector.age import MOST_POINTS, Age, AgeEstimate


def exactly(seconds: float) -> Age:
    return Age(seconds=seconds, exact=True)


def at_least(seconds: float) -> Age:
    return Age(seconds=seconds, exact=False)


def test_a_queue_without_messages_has_no_age() -> None:
    assert AgeEstimate().observe(100, ready=0, unacked=3, acked=50) == exactly(0)


def test_what_was_there_before_is_as_old_as_the_watching_at_least() -> None:
    age = AgeEstimate()
    age.observe(100, ready=5, unacked=0, acked=0)

    assert age.observe(160, ready=5, unacked=0, acked=0) == at_least(60)


def test_what_came_meanwhile_ages_from_when_it_came() -> None:
    age = AgeEstimate()
    age.observe(100, ready=0, unacked=0, acked=0)
    age.observe(105, ready=1, unacked=0, acked=0)

    # It came between the looks; the later time is what is sure.
    assert age.observe(165, ready=1, unacked=0, acked=0) == exactly(60)


def test_the_age_is_that_of_the_first_that_is_left() -> None:
    age = AgeEstimate()
    age.observe(100, ready=0, unacked=0, acked=0)
    age.observe(110, ready=10, unacked=0, acked=0)
    age.observe(200, ready=10, unacked=0, acked=0)
    age.observe(210, ready=20, unacked=0, acked=0)

    # Ten were executed: the first of those that came from 200 to 210 is next.
    assert age.observe(300, ready=10, unacked=0, acked=10) == exactly(99)


def test_a_steady_flow_has_the_age_that_its_backlog_takes() -> None:
    age = AgeEstimate()
    age.observe(0, ready=0, unacked=0, acked=0)
    for second in range(5, 1000, 5):
        # Ten a second come, and ten a second go once a hundred wait.
        last = age.observe(second, ready=min(100, 10 * second), unacked=0, acked=max(0, 10 * second - 100))

    assert abs(last.seconds - 10) < 1


def test_a_broker_that_counts_anew_changes_nothing() -> None:
    age = AgeEstimate()
    age.observe(0, ready=0, unacked=0, acked=1000)
    age.observe(10, ready=5, unacked=0, acked=1000)

    assert age.observe(70, ready=5, unacked=0, acked=0) == exactly(68)


def test_what_workers_gave_back_is_as_old_as_the_watching_at_least() -> None:
    age = AgeEstimate()
    age.observe(0, ready=0, unacked=4, acked=0)

    assert age.observe(30, ready=4, unacked=0, acked=0) == at_least(30)


def test_a_long_history_is_thinned_and_stays_right() -> None:
    age = AgeEstimate()
    age.observe(0, ready=0, unacked=0, acked=0)
    seconds = 5 * MOST_POINTS * 10
    for second in range(5, seconds, 5):
        last = age.observe(second, ready=second, unacked=0, acked=0)

    assert len(age._points) <= MOST_POINTS
    assert abs(last.seconds - seconds) < seconds * 0.01
