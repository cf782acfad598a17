"""The tasks of the example, one module for each queue or purpose.

Celery's autodiscovery imports only this package, so it imports the modules.
"""

from example.tasks import basic, email, files, image, model, page, report, text

__all__ = ["basic", "email", "files", "image", "model", "page", "report", "text"]
