{{- define "rowlock.rules.failures" -}}
{{- $thresholds := .Values.metrics.rules.thresholds -}}
{{- if .Values.app.rowlock }}
{{- range $burn := list
  (dict "alert" "RowlockFailuresFarOverGoal" "severity" "critical" "for" "2m" "factor" "14.4" "long" "1h" "short" "5m")
  (dict "alert" "RowlockFailuresOverGoal" "severity" "warning" "for" "15m" "factor" "6" "long" "6h" "short" "30m")
}}
- alert: {{ $burn.alert }}
  expr: |
    rowlock:pool:failures:ratio_rate{{ $burn.long }} > clamp_max({{ $burn.factor }} * rowlock:pool:failure_goal_share, 0.8)
    and rowlock:pool:failures:ratio_rate{{ $burn.short }} > clamp_max({{ $burn.factor }} * rowlock:pool:failure_goal_share, 0.8)
    and rowlock:pool:ends:increase1h >= {{ int64 $thresholds.tasks }}
  for: {{ $burn.for }}
  labels:
    severity: {{ $burn.severity }}
  annotations:
    summary: Users do not get what they asked for, as tasks of the pool {{`{{ $labels.pool }}`}} fail.
    description: >-
      {{`{{ $value | humanizePercentage }}`}} of the tasks that have ended in the pool {{`{{ $labels.pool }}`}} of
      {{`{{ $labels.namespace }}`}} in the last {{ $burn.long }} have failed, timed out, were rejected or lost.
{{- end }}
{{- end }}
- alert: RowlockDeadLetters
  expr: |
    max by (namespace) (rowlock_dead_letters) - min by (namespace) (min_over_time(rowlock_dead_letters[1h])) > 0
  labels:
    severity: warning
  annotations:
    summary: Tasks were given up, and nobody will get their results.
    description: >-
      {{`{{ $value }}`}} messages have come into rowlock.dead of {{`{{ $labels.namespace }}`}} within the last hour. They stay there until
      somebody retries or drops them.
{{- end -}}
