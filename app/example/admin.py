from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from example.models import Counter, StoredFile, Tick


@admin.register(StoredFile)
class StoredFileAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the type checker only
    list_display = ["name", "content_type", "size", "created", "download"]
    list_filter = ["content_type"]
    search_fields = ["name"]
    date_hierarchy = "created"
    readonly_fields = fields = ("id", "name", "content_type", "size", "created", "download")

    def get_queryset(self, request: HttpRequest) -> QuerySet[StoredFile]:
        # A page of a hundred files would otherwise load all their bytes.
        return super().get_queryset(request).defer("content")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(description="file")
    def download(self, file: StoredFile) -> str:
        return format_html('<a href="{}">Open</a>', file.get_absolute_url())


@admin.register(Counter)
class CounterAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the type checker only
    list_display = ["key", "count"]
    search_fields = ["key"]
    readonly_fields = ["key", "count"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(Tick)
class TickAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the type checker only
    list_display = ["at"]
    date_hierarchy = "at"
    readonly_fields = ["at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
