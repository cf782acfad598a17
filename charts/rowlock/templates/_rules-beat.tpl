{{- define "rowlock.rules.beat" -}}
{{- if and .Values.app.rowlock .Values.beat.enabled }}
- alert: RowlockBeatNotTicking
  expr: |
    absent(rowlock_beat_active)
    or max by (namespace) (rowlock_pods_wanted{component="beat"}) unless on (namespace) rowlock_beat_active
    or sum by (namespace) (rowlock_beat_active) == 0
    or max by (namespace) (rowlock_beat_last_tick_timestamp_seconds) < time() - 120
  for: 2m
  labels:
    severity: critical
  annotations:
    summary: Nothing happens on schedule, and reports, reminders and clean-ups stay away.
    description: No beat of {{`{{ $labels.namespace }}`}} looks for due schedules.
- alert: RowlockTwoBeatsTick
  expr: sum by (namespace) (rowlock_beat_active) > 1
  for: 2m
  labels:
    severity: warning
  annotations:
    summary: Two beats tick at once. Each slot still runs once, but the lock between them does not hold.
    description: >-
      {{`{{ $value }}`}} beats of {{`{{ $labels.namespace }}`}} believe that they hold the lock.
- alert: RowlockScheduleLate
  expr: |
    max by (namespace) (
      rowlock_schedule_late_seconds
      and changes(rowlock_schedule_late_seconds[10m]) > 0
      and rowlock_beat_active == 1
    ) > {{ int64 .Values.metrics.rules.thresholds.scheduleSeconds }}
  for: 5m
  labels:
    severity: warning
  annotations:
    summary: What should happen on schedule happens late or not at all.
    description: >-
      Beat of {{`{{ $labels.namespace }}`}} ticks, and a schedule is {{`{{ $value | humanizeDuration }}`}} late.
{{- end }}
{{- end -}}
