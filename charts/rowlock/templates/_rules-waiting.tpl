{{- define "rowlock.rules.waiting" -}}
{{- $thresholds := .Values.metrics.rules.thresholds -}}
{{- if .Values.app.rowlock }}
{{- range $burn := list
  (dict "alert" "RowlockWaitFarOverGoal" "severity" "critical" "for" "2m" "factor" "14.4" "long" "1h" "short" "5m")
  (dict "alert" "RowlockWaitOverGoal" "severity" "warning" "for" "15m" "factor" "6" "long" "6h" "short" "30m")
}}
- alert: {{ $burn.alert }}
  expr: |
    rowlock:pool:wait_over_goal:ratio_rate{{ $burn.long }} > clamp_max({{ $burn.factor }} * (1 - rowlock:pool:wait_goal_share), 0.8)
    and rowlock:pool:wait_over_goal:ratio_rate{{ $burn.short }} > clamp_max({{ $burn.factor }} * (1 - rowlock:pool:wait_goal_share), 0.8)
    and rowlock:pool:starts:increase1h >= {{ int64 $thresholds.tasks }}
  for: {{ $burn.for }}
  labels:
    severity: {{ $burn.severity }}
  annotations:
    summary: Users wait for tasks of the pool {{`{{ $labels.pool }}`}} longer than promised.
    description: >-
      {{`{{ $value | humanizePercentage }}`}} of the tasks that the pool {{`{{ $labels.pool }}`}} of
      {{`{{ $labels.namespace }}`}} has started in the last {{ $burn.long }} had waited longer than its goal allows.
{{- end }}
{{- end }}
- alert: RowlockOldestMessageOverGoal
  expr: |
    max by (namespace, pool, queue) (rowlock_queue_oldest_seconds) > on (namespace, pool) group_left rowlock:pool:wait_goal_seconds
    unless on (namespace, queue) rowlock_queue_paused == 1
  for: 5m
  labels:
    severity: warning
  annotations:
    summary: What users have asked for has not begun, and is late already.
    description: >-
      The first task of the queue {{`{{ $labels.queue }}`}} has waited {{`{{ $value | humanizeDuration }}`}}, longer than the goal of the
      pool {{`{{ $labels.pool }}`}} in {{`{{ $labels.namespace }}`}}.
- alert: RowlockPoolAtItsLimit
  expr: |
    max by (namespace, pool) (rowlock_pods_ready{component="worker"}) >= max by (namespace, pool) (rowlock_pool_pods_max)
    and on (namespace, pool) max by (namespace, pool) (rowlock_queue_oldest_seconds) > rowlock:pool:wait_goal_seconds
  for: 15m
  labels:
    severity: info
  annotations:
    summary: Users wait, and the pool {{`{{ $labels.pool }}`}} may not grow any further.
    description: >-
      All {{`{{ $value }}`}} pods that the pool {{`{{ $labels.pool }}`}} of {{`{{ $labels.namespace }}`}} may have are ready, and its oldest
      task has waited longer than its goal.
{{- end -}}
