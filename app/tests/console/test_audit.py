"""/console/audit/"""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from rowlock import audit
from rowlock.console.audit import LIMIT
from rowlock.models import AuditEntry
from tests.console.people import client_of

pytestmark = pytest.mark.django_db


def note(**fields: str) -> AuditEntry:
    given = {"actor": "ada", "action": "pause", "kind": "queue", "target": "email", **fields}
    return audit.record(**given, detail={"reason": "too hot"}, via="cli")


def text_of(role: str = "operator", **query: str) -> str:
    response = client_of(role).get(reverse("rowlock-console:audit"), query)
    assert response.status_code == 200, response.content
    return response.content.decode()


def shown(**query: str) -> set[str]:
    return {part.split('"')[0] for part in text_of(**query).split('id="entry-')[1:]}


def test_who_did_what_is_shown_with_its_details() -> None:
    note()

    text = text_of()

    assert all(word in text for word in ("ada", "pause", "email", "reason: too hot", "command line"))


@pytest.mark.parametrize(
    "query",
    [{"actor": "ada"}, {"action": "pause"}, {"kind": "queue"}, {"target": "em"}, {"via": "cli"}],
    ids=lambda query: next(iter(query)),
)
def test_entries_are_filtered(query: dict[str, str]) -> None:
    wanted = note()
    AuditEntry.objects.create(actor="bob", action="resume", kind="run", target="x", via="api")

    assert shown(**query) == {str(wanted.pk)}


def test_entries_are_filtered_by_day() -> None:
    today, before = note(), note()
    AuditEntry.objects.filter(pk=before.pk).update(moment=timezone.now() - timedelta(days=3))
    day = timezone.localdate().isoformat()

    assert shown(since=day) == {str(today.pk)}
    assert shown(until=(timezone.localdate() - timedelta(days=1)).isoformat()) == {str(before.pk)}


def test_a_day_that_is_none_is_said_beside_its_field() -> None:
    assert "Write a day" in text_of(since="soon").split('id="filter-since-error"')[1]


def test_pages_hold_every_entry_once() -> None:
    moment = timezone.now()
    AuditEntry.objects.bulk_create(
        AuditEntry(actor="ada", action="pause", kind="queue", target=str(number), via="cli", moment=moment)
        for number in range(LIMIT + 5)
    )
    text = text_of()
    cursor = text.split("cursor=")[1].split('"')[0]

    first, second = shown(), shown(cursor=cursor)

    assert (len(first), len(second), first & second) == (LIMIT, 5, set())


def test_the_list_costs_few_statements(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    note()
    client = client_of("operator")

    # Session, user, two for permissions, entries.
    with django_assert_max_num_queries(5):
        client.get(reverse("rowlock-console:audit"))


def test_without_any_the_page_says_what_comes_here() -> None:
    assert "Nothing has been done yet" in text_of()
    assert "No entry matches" in text_of(actor="ada")


@pytest.mark.parametrize("role", ["viewer", "submitter"])
def test_only_operators_see_it(role: str) -> None:
    note()

    response = client_of(role).get(reverse("rowlock-console:audit"))

    assert response.status_code == 403
    assert "email" not in response.content.decode()
