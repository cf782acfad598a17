"""Writing what workers report: many reports in one statement, so that history costs next to nothing."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from rowlock.models import Run, State
from rowlock.models.clock import now

#: Reports in one statement; SQLite takes 32,766 parameters.
CHUNK = 500
_REPLACED = ("state", "finished", "retries", "result", "result_note")
_PROGRESS = ("progress_done", "progress_total", "progress_message")
_ERROR = ("error_type", "error_message", "traceback")
_FIELDS = [field for field in Run._meta.concrete_fields if field.attname != "changed"]
_LONGEST = {field.attname: field.max_length for field in _FIELDS if field.max_length}
#: Half a traceback from each end says more than its first megabyte.
LONGEST_TEXT = 64 * 1024


def report(id: UUID, state: State, **values: Any) -> dict[str, Any]:
    """One thing that a worker has to say of a run; `values` are fields of Run."""
    return {"id": id, "state": state, **{name: _presentable(name, value) for name, value in values.items()}}


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
    """Write all of it in one transaction. A report that comes too late (see State) only counts its delivery."""
    # Whoever changes many runs locks them in the order of their ids, or two could wait for each other.
    rows = [_row(report) for report in sorted(reports, key=lambda report: report["id"])]
    with transaction.atomic(), connection.cursor() as cursor:
        for begin in range(0, len(rows), CHUNK):
            chunk = rows[begin : begin + CHUNK]
            values = ", ".join([f"({', '.join(['%s'] * len(_FIELDS))}, {now(connection)})"] * len(chunk))
            cursor.execute(_upsert(values), [value for row in chunk for value in row])
        for run_id, (done, total, message) in sorted(progress.items()):
            cursor.execute(_progress(), [done, total, message, Run._meta.pk.get_db_prep_value(run_id, connection)])


def _row(report: Mapping[str, Any]) -> list[Any]:
    run = Run(**report)
    return [field.get_db_prep_save(getattr(run, field.attname), connection) for field in _FIELDS]


def _upsert(values: str) -> str:
    table = connection.ops.quote_name(Run._meta.db_table)
    columns = [*(str(field.column) for field in _FIELDS), "changed"]
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
        INSERT INTO {table} ({", ".join(columns)}) VALUES {values}
        ON CONFLICT (id) DO UPDATE SET {", ".join(changes)}
    """  # noqa: S608 - made of names from here


def _progress() -> str:
    table = connection.ops.quote_name(Run._meta.db_table)
    return f"""
        UPDATE {table} SET progress_done = %s, progress_total = %s, progress_message = %s, changed = {now(connection)}
        WHERE id = %s AND state = {State.STARTED.value}
    """  # noqa: S608 - made of names from here


def _presentable(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    # Postgres has no text with a zero byte, and no half of a surrogate pair.
    text = value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
    longest = _LONGEST.get(name)
    if longest:
        return text[:longest]
    if name in ("error_message", "traceback") and len(text) > LONGEST_TEXT:
        half = LONGEST_TEXT // 2
        return f"{text[:half]}\n[{len(text) - LONGEST_TEXT:,} characters left out]\n{text[-half:]}"
    return text
