"""For projects: `path("api/live/", include("rowlock.live.urls"))`, before the paths of the API."""

from django.urls import path

from rowlock.live.views import live

urlpatterns = [path("", live, name="rowlock-live")]
