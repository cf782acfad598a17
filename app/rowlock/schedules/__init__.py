"""Schedules of django-celery-beat: their slots, and the runs that are due by them."""
