"""Django and Celery on Kubernetes without losing a task or flying blind."""
