"""For projects: `path("console/", include("rowlock.console.urls"))`."""

from django.urls import path

from rowlock.console import audit, bulk, dead_letters, login, overview, queues, run, runs, schedules, tasks
from rowlock.live.views import live

app_name = "rowlock-console"

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("live/", live, name="live"),
    path("runs/", runs.listing, name="runs"),
    path("runs/bulk/", bulk.bulk, name="bulk"),
    path("runs/completions/", runs.completions, name="completions"),
    path("runs/<uuid:id>/", run.run, name="run"),
    path("runs/<uuid:id>/retry/", run.retry, name="retry"),
    path("runs/<uuid:id>/cancel/", run.cancel, name="cancel"),
    *queues.urlpatterns,
    *dead_letters.urlpatterns,
    *schedules.urlpatterns,
    *tasks.urlpatterns,
    *audit.urlpatterns,
    *login.urlpatterns,
]
