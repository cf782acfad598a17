import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "plain.settings")

app = Celery("plain", broker=os.environ["BROKER_URL"], backend=os.environ["REDIS_URL"])
app.conf.beat_schedule = {"beat": {"task": "celery.accumulate", "args": (1, 2), "schedule": 2.0}}
