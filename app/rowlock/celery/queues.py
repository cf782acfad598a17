import re
from collections.abc import Mapping
from typing import Any

#: What native delayed delivery puts before the routing key: the seconds in binary digits (kombu/transport/
#: native_delayed_delivery.py).
_DELAY = re.compile(r"^(?:[01]\.)+")


def queue_of(delivery_info: Mapping[str, Any] | None) -> str:
    """The queue of a message that was delivered; its name is the routing key in Celery's topology."""
    return _DELAY.sub("", (delivery_info or {}).get("routing_key") or "")
