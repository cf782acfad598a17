from django.apps import AppConfig


class RowlockConfig(AppConfig):
    name = "rowlock"
    verbose_name = "Rowlock"

    def ready(self) -> None:
        from rowlock import checks  # noqa: F401 - importing registers the checks
        from rowlock.api import checks as api_checks  # noqa: F401
        from rowlock.console import checks as console_checks  # noqa: F401
        from rowlock.metrics import container
        from rowlock.runs import authentication
        from rowlock.runs import checks as runs_checks  # noqa: F401

        authentication.forget_on_changes()
        container.register()
