"""Writing new runs into the database in one statement."""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from rowlock.models import Run

#: What differs from one new run to another; all other columns have their defaults.
_COLUMNS = (
    "id",
    "task",
    "queue",
    "arguments",
    "priority",
    "options",
    "owner",
    "key",
    "parent_id",
    "created",
    "changed",
    "due",
    "expires",
    "publish_after",
    "attempts",
)


def insert(runs: Sequence[Run], connection: BaseDatabaseWrapper, *, claimed_for: float = 0) -> None:
    """Insert `runs`, which are new and as `Run(...)` made them; those whose key is taken are left out.

    `claimed_for`: for so many seconds the runs are the caller's to publish, counted by the database's clock.

    Atomic by itself, and it may be repeated where it is not known what became of it.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            if len(runs) == 1:
                values = [getattr(runs[0], name) for name in _given(claimed_for)]
                cursor.execute(_statement_for_one(claimed_for), values)
            else:
                values = [json.dumps([_row(run) for run in runs], ensure_ascii=False)]
                cursor.execute(_statement_for_many(claimed_for), values)
    else:
        Run.objects.using(connection.alias).bulk_create(runs, ignore_conflicts=True)
    for run in runs:
        run._state.adding, run._state.db = False, connection.alias


def _row(run: Run) -> dict[str, Any]:
    times = {"created": run.created, "changed": run.changed, "publish_after": run.publish_after}
    row: dict[str, Any] = {name: time.isoformat() for name, time in times.items()}
    row.update(id=str(run.id), task=run.task, queue=run.queue, arguments=run.arguments, owner=run.owner)
    row.update(options=run.options, attempts=run.attempts)
    if run.priority is not None:
        row["priority"] = run.priority
    if run.key is not None:
        row["key"] = run.key
    if run.parent_id is not None:
        row["parent_id"] = str(run.parent_id)
    if run.due is not None:
        row["due"] = run.due.isoformat()
    if run.expires is not None:
        row["expires"] = run.expires.isoformat()
    return row


@cache
def _statement_for_one(claimed_for: float) -> str:
    # Without JSON, which takes Postgres and its client longer for a single run.
    given, made = _given(claimed_for), _made(claimed_for)
    return f"""
        INSERT INTO {Run._meta.db_table} ({", ".join([*(_field(name).column for name in given), *made])})
        VALUES ({", ".join([*("%s" for _ in given), *made.values()])})
        ON CONFLICT DO NOTHING
    """  # noqa: S608 - made of names from here


@cache
def _statement_for_many(claimed_for: float) -> str:
    # One parameter, whatever the number of runs: binding thousands takes longer than inserting them.
    given, made = [_field(name) for name in _given(claimed_for)], _made(claimed_for)
    # As text, not as the column's varchar: one that is too long shall be an error.
    types = {"CharField": "text", "TextField": "text", "UUIDField": "uuid", "SmallIntegerField": "smallint"}
    shape = [f"{field.column} {types.get(field.get_internal_type(), 'timestamptz')}" for field in given]
    return f"""
        INSERT INTO {Run._meta.db_table} ({", ".join([*(field.column for field in given), *made])})
        SELECT {", ".join([*(f"new.{field.column}" for field in given), *made.values()])}
        FROM json_to_recordset(%s::json) AS new({", ".join(shape)})
        ON CONFLICT DO NOTHING
    """  # noqa: S608 - made of names from here


def _given(claimed_for: float) -> list[str]:
    return [name for name in _COLUMNS if not (claimed_for and name == "publish_after")]


def _made(claimed_for: float) -> dict[str, str]:
    """The columns that Postgres fills, and with what."""
    made = {
        str(field.column): _literal(field.get_default())
        for field in Run._meta.concrete_fields
        if field.attname not in _COLUMNS and not field.null
    }
    if claimed_for:
        made["publish_after"] = f"clock_timestamp() + interval '{claimed_for:.3f} seconds'"
    return made


def _field(attname: str) -> Any:
    return next(field for field in Run._meta.concrete_fields if field.attname == attname)


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return f"{value:d}" if isinstance(value, int) else repr(value)
    assert isinstance(value, str), f"a default that SQL has no word for here: {value!r}"
    return "'{}'".format(value.replace("'", "''").replace("%", "%%"))
