"""Names of what rowlock has in RabbitMQ beside the queues of the pools."""

#: Messages that were given up, for people to look at.
DEAD_QUEUE = "rowlock.dead"
#: Where RabbitMQ sends what a queue lets go; a headers exchange that tells by the reason.
DEAD_LETTER_EXCHANGE = "rowlock.dead_letters"
#: Takes messages that outlived their `expires`, and forgets them at once: at-least-once dead lettering keeps what has
#: nowhere to go, and expiring is no accident to look at.
EXPIRED_QUEUE = "rowlock.expired"

DEAD_QUEUE_ARGUMENTS: dict[str, object] = {"x-queue-type": "quorum"}
EXPIRED_QUEUE_ARGUMENTS: dict[str, object] = {"x-queue-type": "classic", "x-message-ttl": 0}

#: All reasons there are (https://www.rabbitmq.com/docs/dlx), and the queue for each.
DESTINATIONS = {
    "delivery_limit": DEAD_QUEUE,
    "rejected": DEAD_QUEUE,
    "maxlen": DEAD_QUEUE,
    "expired": EXPIRED_QUEUE,
}

#: Topic queues in which Celery's countdowns and ETAs wait (kombu/transport/native_delayed_delivery.py).
DELAYED_QUEUES = r"celery_delayed_\d+"
