"""Beat: one of it ticks, whatever its lock is and however many there are."""

import pytest

from render.chart import RefusedError, Rendered, notes, render
from render.test_accounts import calls_the_api_server, holders, rules_of

LEASE = {"beat": {"lock": "lease", "replicas": 2}}


def told(rendered: Rendered) -> set[str]:
    return {name for name in rendered.pod("beat").env if name.startswith("ROWLOCK_")}


def test_there_is_one_beat_and_never_an_old_beside_a_new() -> None:
    spec = render().component("Deployment", "beat")["spec"]

    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "Recreate"}


def test_its_lock_is_in_the_database_and_it_has_no_token() -> None:
    rendered = render()

    assert rendered.pod("beat").env["ROWLOCK_BEAT_LOCK"]["value"] == "database"
    assert told(rendered) == {"ROWLOCK_BEAT_LOCK"}
    assert "beat" not in holders(rendered)
    assert not calls_the_api_server(rendered, "beat")
    assert "rowlock-beat" not in rendered.names("ServiceAccount") | rendered.names("Role")


def test_with_a_lease_it_may_make_and_hold_that_one() -> None:
    rendered = render(LEASE)

    create, hold = rules_of(rendered, "rowlock-beat")

    assert rendered.pod("beat").spec["serviceAccountName"] == "rowlock-beat"
    assert (create["resources"], create["verbs"]) == (["leases"], ["create"])
    assert (hold["resources"], hold["verbs"]) == (["leases"], ["get", "update"])
    assert hold["resourceNames"] == [rendered.pod("beat").env["ROWLOCK_LEASE_NAME"]["value"]]
    assert "beat" in holders(rendered)
    assert calls_the_api_server(rendered, "beat")


def test_with_a_lease_it_knows_its_pod() -> None:
    rendered = render(LEASE)

    assert told(rendered) == {
        *("ROWLOCK_BEAT_LOCK", "ROWLOCK_LEASE_NAME"),
        *("ROWLOCK_POD_NAME", "ROWLOCK_POD_NAMESPACE"),
    }


def test_without_the_rowlock_app_there_is_no_lock() -> None:
    rendered = render({"app": {"rowlock": False}, "beat": {"lock": "lease"}})

    assert told(rendered) == set()
    assert "beat" not in holders(rendered)


def test_two_without_a_lock_are_refused() -> None:
    with pytest.raises(RefusedError, match=r"every schedule would fire 2 times\. Set beat\.replicas to 1"):
        render({"app": {"rowlock": False}, "beat": {"replicas": 2}})


def test_a_drain_takes_one_of_two_at_a_time() -> None:
    rendered = render(LEASE)

    assert rendered.one("PodDisruptionBudget", "rowlock-beat")["spec"]["maxUnavailable"] == 1
    assert "rowlock-beat" not in render().names("PodDisruptionBudget")


def test_the_notes_tell_how_many_there_are_and_what_locks_them() -> None:
    assert "beat     2, one of them ticking, locked by the lease" in notes(LEASE)
