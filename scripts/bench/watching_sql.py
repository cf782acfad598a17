"""What the statements of a piece of work cost in Postgres: their time, the kinds of nodes in their plans, rows read."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

#: Nodes that only pass on what others have read.
_READERS = ("Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan")


@dataclass(kw_only=True)
class Cost:
    """Milliseconds of each round, and what EXPLAIN ANALYZE says of all statements of one round."""

    milliseconds: list[float] = field(default_factory=list)
    nodes: set[str] = field(default_factory=set)
    rows_read: int = 0
    statements: int = 0
    problem: str = ""
    #: What the work returned, where that is a text.
    answer: str = ""


def cost_of(work: Callable[[], object], rounds: int) -> Cost:
    """Do `work` once to warm up and then `rounds` times; what it changes is undone."""
    cost = Cost()
    for number in range(rounds + 1):
        watch = _Stopwatch()
        with transaction.atomic():
            with connection.execute_wrapper(watch):
                try:
                    answer = work()
                    cost.answer = answer if isinstance(answer, str) else ""
                except Exception as error:  # what people would be told
                    cost.problem = f"{type(error).__name__}: {error}"[:80]
            transaction.set_rollback(True)
        if number:
            cost.milliseconds.append(watch.seconds * 1000)
    asked = [(sql, params) for sql, params in watch.told if sql.lstrip()[:6].upper() in ("SELECT", "WITH R", "(SELEC")]
    cost.statements = len(asked)
    if not cost.problem:
        for sql, params in asked:
            _explain(sql, params, cost)
    return cost


class _Stopwatch:
    """Times the statements that Django sends, and keeps them."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.told: list[tuple[str, Any]] = []

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.seconds += time.perf_counter() - began
            self.told.append((sql, params))


def _explain(sql: str, params: Any, cost: Cost) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
        plan = cursor.fetchone()[0]
    for node in _nodes((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]):
        kind = node["Node Type"]
        on = node.get("Relation Name") or node.get("Index Name", "")
        if kind in _READERS or kind == "Bitmap Index Scan":
            name = node.get("Index Name", on).removeprefix("rowlock_")
            cost.nodes.add(f"{kind.replace(' Scan', '')} {name}")
        if kind in _READERS:
            removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
            cost.rows_read += int((node["Actual Rows"] + removed) * node["Actual Loops"])


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)
