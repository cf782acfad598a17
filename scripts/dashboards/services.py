"""Services: RabbitMQ, PostgreSQL, Redis and the web requests."""

from grafana_foundation_sdk.models.dashboard import Dashboard
from grafana_foundation_sdk.models.units import RequestsPerSecond

from dashboards import colours, frame, links
from dashboards.panels import (
    BYTES,
    PER_SECOND,
    PERCENTILES,
    SECONDS,
    SHARE,
    UP,
    AnyPanel,
    plot,
    stat,
    timeline,
    words,
)
from dashboards.queries import RELEASE, Query, nothing_yet, once, quantile, quantiles, quiet, rate

UID = "rowlock-services"

#: A counter without labels, there from the first scrape of a web pod on.
_REQUESTS = f"sum(rate(django_http_requests_before_middlewares_total{{{RELEASE}}}[$__rate_interval]))"
_LATENCY = "django_http_requests_latency_including_middlewares_seconds"
_NO_WEB = "no django-prometheus"


def dashboard() -> Dashboard:
    """The dashboard of what a release stands on."""
    return frame.build(
        UID,
        "Services",
        "RabbitMQ, PostgreSQL and Redis as Rowlock's collector sees them, and the web requests.",
        {
            "Are they there?": _state(),
            "RabbitMQ": _rabbitmq(),
            "PostgreSQL": _postgresql(),
            "Redis": _redis(),
            "Web": _web(),
        },
    )


def _state() -> list[AnyPanel]:
    return [
        stat(
            "Reached by the collector",
            "PostgreSQL, RabbitMQ and Redis.",
            Query(expr=once("rowlock_service_up", "service"), legend="{{service}}"),
            mappings=UP,
            width=6,
        ),
        stat(
            "RabbitMQ alarms",
            "Nodes that are out of memory or disk. They take no messages: new runs stay in the outbox until that ends.",
            Query(expr=once("rowlock_broker_alarms", "kind"), legend="{{kind}}"),
            thresholds=colours.above(None, 1),
            width=4,
        ),
        stat(
            "Postgres connections, of max",
            "At 100 % processes are refused.",
            Query(
                expr=f"sum({once('rowlock_postgres_connections', 'state')})"
                f" / {once('rowlock_postgres_connections_max')}"
            ),
            unit=SHARE,
            thresholds=colours.above(0.7, 0.9),
            decimals=0,
            width=4,
        ),
        stat(
            "Waiting for locks",
            "Statements that wait for another transaction.",
            Query(expr=once("rowlock_postgres_locks_waiting")),
            thresholds=colours.above(1, 10),
        ),
        stat(
            "Certificates end in",
            "The first of the services' TLS certificates to expire.",
            Query(expr=f"min(rowlock_service_certificate_expires_timestamp_seconds{{{RELEASE}}}) - time()"),
            unit=SECONDS,
            thresholds=colours.below(14 * 86400, 3 * 86400),
            decimals=0,
            empty="no TLS",
            width=4,
        ),
        stat(
            "Web errors",
            "Share of responses with a status of 500 or above.",
            Query(
                expr=quiet(
                    f'sum(rate(django_http_responses_total_by_status_total{{{RELEASE},status=~"5.."}}'
                    "[$__rate_interval])) / "
                    f"(sum(rate(django_http_responses_total_by_status_total{{{RELEASE}}}[$__rate_interval])) > 0)",
                    _REQUESTS,
                )
            ),
            unit=SHARE,
            thresholds=colours.above(0.01, 0.05),
            empty=_NO_WEB,
        ),
        timeline(
            "Why a service was not reached",
            "Credentials that are refused, a certificate that is not trusted, an address that does not answer.",
            Query(
                expr=once("rowlock_service_failing", "service, reason"),
                legend="{{service}}: {{reason}}",
            ),
            mappings=words({0: ("fine", colours.GOOD), 1: ("failing", colours.BAD)}),
            height=9,
        ),
    ]


def _rabbitmq() -> list[AnyPanel]:
    return [
        plot(
            "Message rates",
            "Messages published to, delivered from and acknowledged in the queues of the pools.",
            Query(expr=rate("rowlock_queue_published_total", RELEASE), legend="published"),
            Query(expr=rate("rowlock_queue_delivered_total", RELEASE), legend="delivered"),
            Query(expr=rate("rowlock_queue_acknowledged_total", RELEASE), legend="acknowledged"),
            unit=PER_SECOND,
            fixed={"published": colours.ORANGE, "delivered": colours.SKY, "acknowledged": colours.BLUE},
            width=8,
        ),
        plot(
            "Memory",
            "Memory of the fullest node, and the limit at which it takes no more messages.",
            Query(expr=once("rowlock_broker_memory_bytes"), legend="used"),
            Query(expr=once("rowlock_broker_memory_limit_bytes"), legend="limit"),
            unit=BYTES,
            fixed={"used": colours.BLUE, "limit": colours.RED},
            dashed="limit",
            width=8,
        ),
        plot(
            "Free disk",
            "Free disk of the fullest node, and the limit below which it takes no more messages.",
            Query(expr=f"min(rowlock_broker_disk_free_bytes{{{RELEASE}}})", legend="free"),
            Query(expr=once("rowlock_broker_disk_free_limit_bytes"), legend="limit"),
            unit=BYTES,
            fixed={"free": colours.BLUE, "limit": colours.RED},
            dashed="limit",
            width=8,
        ),
        plot(
            "Messages",
            "Messages that wait, that are with a worker, that wait for their time, and that are dead.",
            Query(
                expr=f"sum by (state) ({once('rowlock_queue_messages', 'queue, pool, state')})",
                legend="{{state}}",
            ),
            Query(expr=once("rowlock_delayed_messages"), legend="delayed"),
            Query(expr=once("rowlock_dead_letters"), legend="dead"),
            fixed={"ready": colours.ORANGE, "unacked": colours.BLUE, "delayed": colours.SKY, "dead": colours.RED},
        ),
        plot(
            "Connections and channels",
            "Clients of RabbitMQ. A number that only grows is a leak.",
            Query(expr=once("rowlock_broker_connections"), legend="connections"),
            Query(expr=once("rowlock_broker_channels"), legend="channels"),
            fixed={"connections": colours.BLUE, "channels": colours.SKY},
        ),
    ]


def _postgresql() -> list[AnyPanel]:
    return [
        plot(
            "Connections",
            "Connections by state, and how many PostgreSQL allows.",
            Query(expr=once("rowlock_postgres_connections", "state"), legend="{{state}}"),
            Query(expr=once("rowlock_postgres_connections_max"), legend="max"),
            fixed={
                "active": colours.BLUE,
                "idle": colours.SKY,
                "idle_in_transaction": colours.ORANGE,
                "other": colours.GREY,
                "max": colours.RED,
            },
            dashed="max",
            stacked=True,
            width=8,
        ),
        plot(
            "Locks and long transactions",
            "How long the oldest transaction has been open. Long ones block migrations and cleaning up.",
            Query(expr=once("rowlock_postgres_oldest_transaction_seconds"), legend="oldest transaction"),
            unit=SECONDS,
            fixed={"oldest transaction": colours.ORANGE},
            thresholds=colours.above(300, None),
            width=8,
        ),
        plot(
            "Statements that wait for locks",
            "Statements that wait for another transaction, and deadlocks in five minutes.",
            Query(expr=once("rowlock_postgres_locks_waiting"), legend="waiting"),
            Query(expr=f"sum(increase(rowlock_postgres_deadlocks_total{{{RELEASE}}}[5m]))", legend="deadlocks"),
            fixed={"waiting": colours.ORANGE, "deadlocks": colours.RED},
            width=8,
        ),
        plot(
            "Transactions",
            "Transactions that were committed and rolled back.",
            Query(expr=rate("rowlock_postgres_commits_total", RELEASE), legend="commits"),
            Query(expr=rate("rowlock_postgres_rollbacks_total", RELEASE), legend="rollbacks"),
            unit=PER_SECOND,
            fixed={"commits": colours.BLUE, "rollbacks": colours.RED},
        ),
        plot(
            "Size",
            "Size of the database on disk.",
            Query(expr=once("rowlock_postgres_database_bytes"), legend="database"),
            unit=BYTES,
            fixed={"database": colours.BLUE},
        ),
    ]


def _redis() -> list[AnyPanel]:
    return [
        plot(
            "Memory",
            "Memory of the data, and the limit at which results are evicted; a limit of 0 is none.",
            Query(expr=once("rowlock_redis_memory_bytes"), legend="used"),
            Query(expr=once("rowlock_redis_memory_limit_bytes"), legend="limit"),
            unit=BYTES,
            fixed={"used": colours.BLUE, "limit": colours.RED},
            dashed="limit",
            width=8,
        ),
        plot(
            "Commands",
            "Commands, and lookups of keys that were and were not there.",
            Query(expr=rate("rowlock_redis_commands_total", RELEASE), legend="commands"),
            Query(expr=rate("rowlock_redis_hits_total", RELEASE), legend="hits"),
            Query(expr=rate("rowlock_redis_misses_total", RELEASE), legend="misses"),
            unit=PER_SECOND,
            fixed={"commands": colours.GREY, "hits": colours.BLUE, "misses": colours.ORANGE},
            width=8,
        ),
        plot(
            "Clients and evictions",
            "Connected clients, and keys that were evicted in five minutes to make room: results that are gone early.",
            Query(expr=once("rowlock_redis_clients"), legend="clients"),
            Query(expr=f"sum(increase(rowlock_redis_evicted_keys_total{{{RELEASE}}}[5m]))", legend="evicted"),
            fixed={"clients": colours.BLUE, "evicted": colours.RED},
            width=8,
        ),
    ]


def _web() -> list[AnyPanel]:
    by_view = "django_http_requests_latency_seconds_by_view_method"
    statuses = "django_http_responses_total_by_status_total"
    return [
        plot(
            "Responses by status",
            "Responses of the web pods.",
            Query(
                expr=nothing_yet(
                    rate(statuses, RELEASE, "status"),
                    _REQUESTS,
                    status="200",
                ),
                legend="{{status}}",
            ),
            unit=RequestsPerSecond,
            stacked=True,
            empty=_NO_WEB,
            width=8,
        ),
        plot(
            "Latency, percentiles",
            "From a request's arrival in Django to its response, middleware included. Nothing while nobody asks.",
            *quantiles(_LATENCY, RELEASE),
            unit=SECONDS,
            fixed=PERCENTILES,
            empty=_NO_WEB,
            width=8,
        ),
        plot(
            "Slowest views (p95)",
            "The ten views whose slowest five in a hundred requests take longest.",
            Query(
                expr=nothing_yet(
                    f"topk(10, {quantile(0.95, by_view, RELEASE, 'view')} >= 0)",
                    _REQUESTS,
                    view="none",
                ),
                legend="{{view}}",
            ),
            unit=SECONDS,
            empty=_NO_WEB,
            width=8,
        ),
        plot(
            "Requests by view",
            "The ten busiest views.",
            Query(
                expr=nothing_yet(
                    f"topk(10, {rate(f'{by_view}_count', RELEASE, 'view')})",
                    _REQUESTS,
                    view="none",
                ),
                legend="{{view}}",
            ),
            unit=RequestsPerSecond,
            empty=_NO_WEB,
        ),
        plot(
            "Exceptions",
            "Exceptions that left a view, by class.",
            Query(
                expr=nothing_yet(
                    rate("django_http_exceptions_total_by_type_total", RELEASE, "type"),
                    _REQUESTS,
                    type="none",
                ),
                legend="{{type}}",
            ),
            unit=PER_SECOND,
            links=[links.dashboard("Overview", "rowlock-overview")],
            empty=_NO_WEB,
        ),
    ]
