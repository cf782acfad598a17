"""The project of these tests: only live updates."""

from django.urls import include, path

urlpatterns = [path("api/live/", include("rowlock.live.urls"))]
