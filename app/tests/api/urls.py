"""The project of these tests: only the API."""

from django.urls import include, path

urlpatterns = [path("api/", include("rowlock.api.urls"))]
