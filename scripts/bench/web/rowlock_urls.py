"""Rowlock's HTTP API, as its README sets it up: with its login by token, rights, and checks of what is submitted."""

from django.urls import include, path

urlpatterns = [path("api/", include("rowlock.api.urls"))]
