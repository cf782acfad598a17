{{/* Without these nobody would notice that the others cannot fire. */}}
{{- define "rowlock.rules.metrics" -}}
{{- if include "rowlock.collects" . }}
- alert: RowlockCollectorGone
  expr: absent(rowlock_broker_up)
  for: 5m
  labels:
    severity: critical
  annotations:
    summary: Nobody would notice if users waited in vain, for the collector tells nothing.
    description: Prometheus gets no metrics of the collector{{`{{ with $labels.namespace }} of {{ . }}{{ end }}`}}.
- alert: RowlockQueuesUnseen
  expr: |
    max by (namespace) (rowlock_broker_up) == 0
    and on (namespace) rowlock_worker_consuming == 1
  for: 5m
  labels:
    severity: warning
  annotations:
    summary: Nobody sees how long queues are, and pools do not grow when users need them to.
    description: >-
      RabbitMQ's management API does not answer the collector of {{`{{ $labels.namespace }}`}}, though workers consume.
{{- if .Values.metrics.collector.kubernetes }}
- alert: RowlockClusterUnseen
  expr: max by (namespace) (rowlock_kubernetes_up) == 0
  for: 10m
  labels:
    severity: warning
  annotations:
    summary: Nobody would notice if pods were missing, or a migration failed.
    description: The API server of Kubernetes does not answer the collector of {{`{{ $labels.namespace }}`}}.
{{- end }}
{{- end }}
{{- if .Values.app.rowlock }}
- alert: RowlockWorkersUnseen
  expr: |
    max by (namespace, pool) (rowlock_pods_ready{component="worker"}) > 0
    unless on (namespace, pool) rowlock_worker_slots
  for: 10m
  labels:
    severity: warning
  annotations:
    summary: Nobody would notice if tasks of the pool {{`{{ $labels.pool }}`}} failed, for its workers tell nothing.
    description: >-
      {{`{{ $value }}`}} workers of the pool {{`{{ $labels.pool }}`}} in {{`{{ $labels.namespace }}`}} are ready, and Prometheus gets no
      metrics of them.
{{- end }}
{{- end -}}
