"""Django admin: runs to look at, and tokens of the HTTP API to give out."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.db.models import ForeignKey, QuerySet
from django.forms import ModelChoiceField, ModelForm
from django.http import HttpRequest
from django.utils.html import format_html
from django_celery_beat.admin import PeriodicTaskAdmin

from rowlock.admin_recording import put_on_record
from rowlock.models import ApiToken, Run, Schedule
from rowlock.models.token import hash_of, new_secret
from rowlock.runs.errors import QueryError
from rowlock.runs.presentation import HEAVY_COLUMNS, detail
from rowlock.runs.query import parse
from rowlock.runs.registry import task_names


class _TaskFilter(admin.SimpleListFilter):
    """By the tasks that the project has; looking for those that have runs would read the whole table."""

    title = "task"
    parameter_name = "task"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in task_names()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        return queryset.filter(task=self.value()) if self.value() else queryset


@admin.register(Run)
class RunAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the type checker only
    """The runs, to look at. They are retried and cancelled over the API and on the command line."""

    list_display = ["id", "task", "state", "queue", "owner", "created", "started", "finished", "retries", "deliveries"]
    list_filter = [("state", admin.ChoicesFieldListFilter), _TaskFilter]
    # Any name makes Django show the box; what is typed there is a query.
    search_fields = ["task"]
    search_help_text = "Words of the task, key, owner or error, or a query: state:failed task:example.* since:1h"
    show_full_result_count = False
    list_per_page = 50
    fieldsets = [
        (None, {"fields": ["id", "task", "state", "queue", "owner", "key", "priority", "worker", "progress"]}),
        ("Data", {"fields": ["arguments_shown", "result_shown", "error_shown"]}),
        (
            "Times",
            {
                "fields": [
                    "created",
                    "due",
                    "expires",
                    "published",
                    "started",
                    "finished",
                    "cancel_requested",
                    "changed",
                ]
            },
        ),
        ("Deliveries", {"fields": ["attempts", "deliveries", "retries", "parent_id", "retry_of"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        runs: QuerySet[Run] = super().get_queryset(request)
        is_list = request.resolver_match is not None and "object_id" not in request.resolver_match.kwargs
        return runs.defer(*HEAVY_COLUMNS) if is_list else runs

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Run], search_term: str
    ) -> tuple[QuerySet[Run], bool]:
        try:
            return parse(search_term).filter(queryset), False
        except QueryError as error:
            messages.error(request, str(error))
            return queryset.none(), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Run | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Run | None = None) -> bool:
        return False

    @admin.display(description="progress")
    def progress(self, run: Run) -> str:
        if run.progress_done is None:
            return ""
        total = "" if run.progress_total is None else f" of {run.progress_total:g}"
        return f"{run.progress_done:g}{total} {run.progress_message}".strip()

    @admin.display(description="arguments")
    def arguments_shown(self, run: Run) -> str:
        shown = detail(run)
        if shown["arguments_redacted"]:
            return "redacted"
        return _block(_json({"args": shown["args"], "kwargs": shown["kwargs"]})) if run.arguments else "not known"

    @admin.display(description="result")
    def result_shown(self, run: Run) -> str:
        shown = detail(run)
        if shown["result_redacted"]:
            return "redacted"
        if run.result is None:
            return run.result_note
        return _block(_json(shown["result"]))

    @admin.display(description="error")
    def error_shown(self, run: Run) -> str:
        error = detail(run)["error"]
        if error is None:
            return ""
        if error["message"] is None:
            return f"{error['type']}, the rest is redacted"
        return _block(f"{error['type']}: {error['message']}\n\n{error['traceback']}".strip().removesuffix(":"))


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the type checker only
    """Tokens: the secret of a new one is shown once, in the message after it was saved."""

    list_display = ["name", "user", "created", "expires"]
    list_select_related = ["user"]
    search_fields = ["name"]
    fields = ["user", "name", "expires"]

    def get_readonly_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> list[str]:
        # Whoever holds the secret of a token would get the rights of its new user.
        return [] if obj is None else ["user"]

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        field: ModelChoiceField[Any] | None = super().formfield_for_foreignkey(db_field, request, **kwargs)
        # A token may what its user may: others than superusers would rise by one for somebody else.
        if field is not None and db_field.name == "user" and not getattr(request.user, "is_superuser", False):
            field.queryset = get_user_model()._default_manager.filter(pk=str(request.user.pk))
        return field

    def save_model(self, request: HttpRequest, obj: ApiToken, form: ModelForm[ApiToken], change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        secret = new_secret()
        obj.hash = hash_of(secret)
        super().save_model(request, obj, form, change)
        messages.warning(request, f"Keep this token now, it is shown only this once: {secret}")


class _MissedTicks(admin.StackedInline):  # type: ignore[type-arg]  # generic for the type checker only
    model = Schedule
    can_delete = False


# A project may have an admin of its own for schedules, made from this one.
PeriodicTaskAdmin.inlines = [*PeriodicTaskAdmin.inlines, _MissedTicks]

put_on_record(ApiTokenAdmin, "token")
put_on_record(
    PeriodicTaskAdmin,
    "schedule",
    {"enable_tasks": "enable", "disable_tasks": "disable", "toggle_tasks": "toggle", "run_tasks": "run"},
)


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _block(text: str) -> str:
    return format_html('<pre style="white-space: pre-wrap; margin: 0">{}</pre>', text)
