"""Writing what workers report: many reports in one statement, so that history costs next to nothing."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import DateTimeField, Field

from rowlock.models import Run, State
from rowlock.models.clock import now

#: Reports in one statement.
CHUNK = 1000
_REPLACED = ("state", "finished", "retries", "result", "result_note")
_PROGRESS = ("progress_done", "progress_total", "progress_message")
_ERROR = ("error_type", "error_message", "traceback")
_REPORTED = {
    *("id", "task", "queue", "arguments", "parent_id", "started", "deliveries", "worker"),
    *(*_REPLACED, *_PROGRESS, *_ERROR),
}
#: What only the database can tell of a run that it first hears of from its worker.
_NOW = ("created", "publish_after", "changed")
_FIELDS = Run._meta.concrete_fields
_LONGEST = {field.attname: field.max_length for field in _FIELDS if field.max_length}
#: Half a traceback from each end says more than its first megabyte.
LONGEST_TEXT = 64 * 1024


def report(id: UUID, state: State, **values: Any) -> dict[str, Any]:
    """One thing that a worker has to say of a run; `values` are fields of Run."""
    for name, value in values.items():
        if isinstance(value, str) and not _is_presentable(name, value):
            values[name] = _presentable(name, value)
    return {"id": id, "state": state, **values}


def merge(earlier: Mapping[str, Any] | None, later: dict[str, Any]) -> dict[str, Any]:
    """Both reports of one run as one, which says what the database would after both.

    The word of an attempt's end can come after that of the attempt that followed it.
    """
    if earlier is None:
        return later
    old, new = (earlier, later) if _is_news(later, earlier) else (later, earlier)
    outdated = () if new["state"] == State.STARTED else _ERROR
    merged = {**{name: value for name, value in old.items() if name not in outdated}, **new}
    merged["deliveries"] = earlier.get("deliveries", 0) + later.get("deliveries", 0)
    return merged


def _is_news(report: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """As `is_news` of the statement that writes."""
    retries, known_retries = report.get("retries", 0), known.get("retries", 0)
    if retries != known_retries:
        return bool(retries > known_retries)
    state, known_state = State(report["state"]), State(known["state"])
    return state > known_state or (state == known_state and not known_state.is_final)


def write(reports: Iterable[dict[str, Any]], progress: Mapping[UUID, tuple[float, float | None, str]]) -> None:
    """Write all of it, or nothing. A report that comes too late (see State) only counts its delivery."""
    # Whoever changes many runs locks them in the order of their ids, or two could wait for each other.
    rows = sorted(reports, key=lambda report: report["id"].int)
    statements: list[tuple[str, list[Any]]] = [
        (_upsert(connection.vendor), [_json(rows[at : at + CHUNK])]) for at in range(0, len(rows), CHUNK)
    ]
    for run_id, (done, total, message) in sorted(progress.items()):
        statements.append((_progress(), [done, total, message, Run._meta.pk.get_db_prep_value(run_id, connection)]))
    with connection.cursor() as cursor:
        if len(statements) == 1:
            # By itself it is a transaction already, and spares the database two round trips.
            cursor.execute(*statements[0])
            return
        with transaction.atomic():
            for statement in statements:
                cursor.execute(*statement)


def _json(reports: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps(reports, default=_PLAIN[connection.vendor], separators=(",", ":"))


def _plain_in_postgresql(value: object) -> str | float:
    # Its number of seconds is had in 0.3 µs, its text in 5.
    if isinstance(value, datetime):
        return value.timestamp()
    return _hex(value)


def _plain_in_sqlite(value: object) -> str:
    if isinstance(value, datetime):
        return str(connection.ops.adapt_datetimefield_value(value))
    return _hex(value)


_PLAIN = {"postgresql": _plain_in_postgresql, "sqlite": _plain_in_sqlite}


def _hex(value: object) -> str:
    if isinstance(value, UUID):
        return value.hex
    raise TypeError(f"a report cannot have {value!r:.100}")


@cache
def _upsert(vendor: str) -> str:
    table = connection.ops.quote_name(Run._meta.db_table)
    columns = ", ".join(str(field.column) for field in _FIELDS)
    values = ", ".join(_value(field) for field in _FIELDS)
    is_news = f"""(excluded.retries > {table}.retries OR (excluded.retries = {table}.retries AND (
        excluded.state > {table}.state OR (excluded.state = {table}.state AND {table}.state < {State.CANCELLED.value})
    )))"""
    is_end = f"excluded.state >= {State.CANCELLED.value}"
    is_start = f"excluded.state = {State.STARTED.value}"
    old, new = f"{table}.started", "excluded.started"
    started = f"CASE WHEN {is_news} THEN COALESCE({new}, {old}) ELSE COALESCE({old}, {new}) END"
    changes = [
        *(f"{name} = CASE WHEN {is_news} THEN excluded.{name} ELSE {table}.{name} END" for name in _REPLACED),
        *(
            f"{name} = CASE WHEN {is_news} AND NOT {is_start} THEN excluded.{name} ELSE {table}.{name} END"
            for name in _ERROR
        ),
        f"started = {started}",
        # A new attempt begins without the progress of the last.
        *(
            f"{name} = CASE WHEN {is_news} AND ({is_start} OR excluded.progress_done IS NOT NULL) "
            f"THEN excluded.{name} ELSE {table}.{name} END"
            for name in _PROGRESS
        ),
        f"worker = COALESCE(NULLIF(excluded.worker, ''), {table}.worker)",
        # Its only message is done with. Where there may be a second one, workers stay careful.
        f"check_first = {table}.check_first AND NOT ({is_end} AND {table}.attempts <= 1)",
        # Also what comes too late is a delivery.
        f"deliveries = {table}.deliveries + excluded.deliveries",
        "changed = excluded.changed",
    ]
    return f"""
        INSERT INTO {table} ({columns}) SELECT {values} FROM {_reported()} WHERE true
        ON CONFLICT (id) DO UPDATE SET {", ".join(changes)}
    """  # noqa: S608 - made of names from here


def _reported() -> str:
    """The reports as rows, out of one JSON text: a parameter for each value costs ten times as much."""
    reported = [field for field in _FIELDS if field.attname in _REPORTED]
    if connection.vendor == "postgresql":
        columns = ", ".join(f"{field.column} {_type(field)}" for field in reported)
        return f"json_to_recordset(%s) AS reported({columns})"
    columns = ", ".join(f"json_extract(value, '$.{field.attname}') AS {field.column}" for field in reported)
    return f"(SELECT {columns} FROM json_each(%s)) AS reported"  # noqa: S608 - made of names from here


def _value(field: "Field[Any, Any]") -> str:
    if field.attname in _NOW:
        return now(connection)
    reported = f"reported.{field.column}"
    if isinstance(field, DateTimeField) and connection.vendor == "postgresql":
        reported = f"to_timestamp({reported})"
    default = "NULL" if field.null or field.primary_key else _literal(field.get_default())
    if field.attname not in _REPORTED:
        return default
    return reported if default == "NULL" else f"COALESCE({reported}, {default})"


def _type(field: "Field[Any, Any]") -> str | None:
    return "double precision" if isinstance(field, DateTimeField) else field.db_type(connection)


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, int) else "''"


def _progress() -> str:
    table = connection.ops.quote_name(Run._meta.db_table)
    return f"""
        UPDATE {table} SET progress_done = %s, progress_total = %s, progress_message = %s, changed = {now(connection)}
        WHERE id = %s AND state = {State.STARTED.value}
    """  # noqa: S608 - made of names from here


def _is_presentable(name: str, text: str) -> bool:
    return len(text) <= _LONGEST.get(name, LONGEST_TEXT) and text.isascii() and "\0" not in text


def _presentable(name: str, text: str) -> str:
    # Postgres has no text with a zero byte, and no half of a surrogate pair.
    text = text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
    longest = _LONGEST.get(name)
    if longest:
        return text[:longest]
    if name in ("error_message", "traceback") and len(text) > LONGEST_TEXT:
        half = LONGEST_TEXT // 2
        return f"{text[:half]}\n[{len(text) - LONGEST_TEXT:,} characters left out]\n{text[-half:]}"
    return text
