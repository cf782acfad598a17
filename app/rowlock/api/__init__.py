"""The HTTP API; a project mounts it with `path("api/", include("rowlock.api.urls"))`."""
