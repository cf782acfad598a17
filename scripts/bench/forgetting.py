"""Throwing away what is left in a queue."""

import os

import pika
import psycopg


def forget(queue: str) -> None:
    """Throw away what is left in a queue of RabbitMQ, or of Procrastinate, which would look through it for others."""
    with pika.BlockingConnection(pika.URLParameters(os.environ["BROKER_URL"])) as connection:
        # Dramatiq's queue has two beside it.
        for name in (queue, f"{queue}.DQ", f"{queue}.XQ"):
            connection.channel().queue_delete(name)
    with psycopg.connect(os.environ["DATABASE_URL"]) as database:
        if database.execute("SELECT to_regclass('procrastinate_jobs')").fetchone() != (None,):
            database.execute("DELETE FROM procrastinate_jobs WHERE queue_name = %s", [queue])
