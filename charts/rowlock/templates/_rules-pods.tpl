{{- define "rowlock.rules.pods" -}}
{{- $thresholds := .Values.metrics.rules.thresholds -}}
- alert: RowlockWebDown
  expr: |
    max by (namespace) (rowlock_pods_wanted{component="web"}) > 0
    and on (namespace) max by (namespace) (rowlock_pods_ready{component="web"}) == 0
  for: 2m
  labels:
    severity: critical
  annotations:
    summary: The site does not answer.
    description: None of the {{`{{ $value }}`}} web pods of {{`{{ $labels.namespace }}`}} is ready.
- alert: RowlockPodsNotReady
  expr: |
    max by (namespace, component, pool) (rowlock_pods_wanted) - max by (namespace, component, pool) (rowlock_pods_ready) > 0
  for: 15m
  labels:
    severity: warning
  annotations:
    summary: Users wait longer, as there are fewer pods than wanted.
    description: >-
      {{`{{ $value }}`}} pods of {{`{{ $labels.component }} {{ $labels.pool }}`}} in {{`{{ $labels.namespace }}`}} are wanted and not ready.
- alert: RowlockContainersRestarting
  expr: |
    sum by (namespace, component, pool) (increase(rowlock_container_restarts_total[30m])) >= {{ int64 $thresholds.restarts }}
  labels:
    severity: warning
  annotations:
    summary: Tasks and pages of users are interrupted again and again.
    description: >-
      Containers of {{`{{ $labels.component }} {{ $labels.pool }}`}} in {{`{{ $labels.namespace }}`}} were restarted
      {{`{{ $value | humanize }}`}} times within half an hour.
- alert: RowlockMemoryNearLimit
  expr: |
    max by (namespace, pool, pod) (rowlock_container_memory_bytes)
    / max by (namespace, pool, pod) (rowlock_container_memory_limit_bytes) > {{ $thresholds.memory }}
  for: 10m
  labels:
    severity: warning
  annotations:
    summary: What runs in {{`{{ $labels.pod }}`}} is about to be killed and begun again.
    description: >-
      {{`{{ $labels.pod }}`}} of {{`{{ $labels.namespace }}`}} uses {{`{{ $value | humanizePercentage }}`}} of the memory that it may have.
- alert: RowlockMigrationFailed
  expr: max by (namespace) (rowlock_migration_failed) == 1
  for: 1m
  labels:
    severity: critical
  annotations:
    summary: The new version does not come up, as the database was not migrated.
    description: The newest migration Job of {{`{{ $labels.namespace }}`}} has failed, and its pods wait for it.
{{- end -}}
