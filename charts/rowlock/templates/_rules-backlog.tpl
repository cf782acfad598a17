{{- define "rowlock.rules.backlog" -}}
- alert: RowlockNoConsumers
  expr: |
    max by (namespace, pool, queue) (rowlock_queue_messages{state="ready"}) > 0
    and on (namespace, queue) max by (namespace, queue) (rowlock_queue_consumers) == 0
    unless on (namespace, queue) rowlock_queue_paused == 1
  for: 5m
  labels:
    severity: critical
  annotations:
    summary: Nobody works on the queue {{`{{ $labels.queue }}`}}, and its users wait for ever.
    description: >-
      {{`{{ $value }}`}} tasks wait in the queue {{`{{ $labels.queue }}`}} of {{`{{ $labels.namespace }}`}}, and no worker of the pool
      {{`{{ $labels.pool }}`}} consumes it.
{{- if .Values.app.rowlock }}
- alert: RowlockStalled
  expr: |
    rowlock:pool:ready > 0
    and on (namespace, pool) sum by (namespace, pool) (rowlock_queue_consumers) > 0
    unless on (namespace, pool) rowlock:pool:moving == 1
  for: 5m
  labels:
    severity: critical
  annotations:
    summary: The workers of the pool {{`{{ $labels.pool }}`}} look healthy and finish nothing, so its users wait for ever.
    description: >-
      {{`{{ $value }}`}} tasks wait for the pool {{`{{ $labels.pool }}`}} of {{`{{ $labels.namespace }}`}}, its workers are connected, and no
      task ends.
{{- end }}
- alert: RowlockQueuePaused
  expr: max by (namespace, pool, queue) (rowlock_queue_paused) == 1
  for: 4h
  labels:
    severity: info
  annotations:
    summary: The queue {{`{{ $labels.queue }}`}} was paused hours ago, and its users wait until somebody resumes it.
    description: >-
      Somebody has paused the queue {{`{{ $labels.queue }}`}} of the pool {{`{{ $labels.pool }}`}} in {{`{{ $labels.namespace }}`}}.
{{- end -}}
