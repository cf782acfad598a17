"""The API put together."""

from functools import lru_cache
from typing import Any

from django.apps import apps
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema, get_schema
from ninja.operation import Operation
from pydantic.json_schema import models_json_schema

from rowlock.api import audit, bulk, dead_letters, queues, runs, tasks, workers
from rowlock.api.authentication import Session, Token
from rowlock.api.documentation import Page, for_viewers
from rowlock.api.parsing import StrictParser
from rowlock.api.problems import answer_with_problems
from rowlock.api.run_schemas import Problem

DESCRIPTION = """\
Submit tasks, see their runs, steer them.

Authenticate with `Authorization: Bearer <token>` (`manage.py rowlock token` makes one), or with a session of the
project and its CSRF token. Every error is `application/problem+json`.
"""


class Api(NinjaAPI):
    """NinjaAPI whose document tells of problems."""

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        prefix = path_prefix or self.get_root_path(path_params or {})
        return _document(self, prefix)

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__


@lru_cache(maxsize=4)
def _document(api: NinjaAPI, prefix: str) -> OpenAPISchema:
    # Making it takes a fifth of a second.
    schema = get_schema(api, path_prefix=prefix)
    _, definitions = models_json_schema([(Problem, "serialization")], ref_template="#/components/schemas/{model}")
    schema["components"]["schemas"].update(definitions["$defs"])
    error = {
        "description": "An error",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for operations in schema["paths"].values():
        for operation in operations.values():
            operation["responses"]["default"] = error
    return schema


def build() -> Api:
    """The API with all that this project has apps for."""
    api = Api(
        title="Rowlock",
        description=DESCRIPTION,
        urls_namespace="rowlock-api",
        auth=[Token(), Session()],
        parser=StrictParser(),
        docs=Page(),
        docs_decorator=for_viewers,
    )
    answer_with_problems(api)
    # Before the other operations on runs: these paths look like ids.
    api.add_router("runs/", bulk.router)
    api.add_router("runs/", runs.router)
    api.add_router("tasks/", tasks.router)
    api.add_router("queues/", queues.router)
    api.add_router("dead_letters/", dead_letters.router)
    api.add_router("workers/", workers.router)
    api.add_router("audit/", audit.router)
    if apps.is_installed("django_celery_beat"):
        # Its models cannot be imported where it is not installed.
        from rowlock.api import schedules

        api.add_router("schedules/", schedules.router)
    return api
