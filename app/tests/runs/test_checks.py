"""The system check of what searches need in the database."""

import pytest
from django.db import connection

from rowlock.runs.checks import check_text_indexes
from rowlock.runs.query.facts import TEXT_INDEXES

pytestmark = pytest.mark.django_db


@pytest.fixture
def postgres() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("needs DATABASE_URL of a Postgres")


def test_a_database_that_was_migrated_has_all_that_searches_need() -> None:
    assert check_text_indexes(None, databases=["default"]) == []


def test_missing_indexes_of_texts_are_told_with_what_to_do(postgres: None) -> None:
    with connection.cursor() as cursor:
        for name in TEXT_INDEXES:
            cursor.execute(f"DROP INDEX {name}")

    [warning] = check_text_indexes(None, databases=["default"])

    assert warning.id == "rowlock.W011"
    assert "pg_trgm" in str(warning.hint)
