{{- define "rowlock.rules.services" -}}
{{- $thresholds := .Values.metrics.rules.thresholds -}}
- alert: RowlockRabbitMQDown
  expr: |
    min by (namespace, service) (rowlock_service_up{service="rabbitmq"}) == 0
    unless on (namespace) rowlock_worker_consuming == 1
  for: 2m
  labels:
    severity: critical
  annotations:
    summary: Nothing new begins. What users ask for is kept, and starts when RabbitMQ is back.
    description: >-
      RabbitMQ's management API does not answer the collector of {{`{{ $labels.namespace }}`}}, and no worker consumes.
- alert: RowlockPostgreSQLDown
  expr: min by (namespace, service) (rowlock_service_up{service="postgresql"}) == 0
  for: 1m
  labels:
    severity: critical
  annotations:
    summary: Pages fail, and nothing that users ask for is accepted.
    description: Postgres does not answer the collector of {{`{{ $labels.namespace }}`}}.
- alert: RowlockRedisDown
  expr: min by (namespace, service) (rowlock_service_up{service="redis"}) == 0
  for: 2m
  labels:
    severity: critical
  annotations:
    summary: Progress and results do not reach users while they wait, though tasks run.
    description: Redis does not answer the collector of {{`{{ $labels.namespace }}`}}.
- alert: RowlockServiceRefused
  expr: max by (namespace, service, reason) (rowlock_service_failing{reason=~"credentials|certificate"}) == 1
  for: 1m
  labels:
    severity: critical
  annotations:
    summary: >-
      {{`{{ $labels.service }}`}} turns us away, and users feel it as if it were not there.
    description: >-
      {{`{{ $labels.service }}`}} cannot be used in {{`{{ $labels.namespace }}`}}; the reason is the {{`{{ $labels.reason }}`}}.
- alert: RowlockCertificateExpiring
  expr: |
    (min by (namespace, service) (rowlock_service_certificate_expires_timestamp_seconds) - time())
    < {{ int64 $thresholds.certificateDays }} * 86400
  for: 1h
  labels:
    severity: warning
  annotations:
    summary: In {{`{{ $value | humanizeDuration }}`}} users lose {{`{{ $labels.service }}`}}, unless its certificate is renewed.
    description: >-
      The certificate of {{`{{ $labels.service }}`}} in {{`{{ $labels.namespace }}`}} expires, and nobody has renewed it.
- alert: RowlockBrokerAlarm
  expr: max by (namespace, kind) (rowlock_broker_alarms) > 0
  for: 1m
  labels:
    severity: critical
  annotations:
    summary: Nothing new begins, because RabbitMQ is short of {{`{{ $labels.kind }}`}} and takes no messages.
    description: >-
      {{`{{ $value }}`}} nodes of RabbitMQ in {{`{{ $labels.namespace }}`}} have a {{`{{ $labels.kind }}`}} alarm.
- alert: RowlockPostgreSQLConnections
  expr: |
    sum by (namespace) (max by (namespace, state) (rowlock_postgres_connections))
    / max by (namespace) (rowlock_postgres_connections_max) > {{ $thresholds.postgresConnections }}
  for: 5m
  labels:
    severity: warning
  annotations:
    summary: Pages and tasks begin to fail once Postgres has no connection left.
    description: >-
      {{`{{ $value | humanizePercentage }}`}} of the connections that Postgres in {{`{{ $labels.namespace }}`}} allows are taken.
{{- end -}}
