{{- define "rowlock.rules.outbox" -}}
{{- if .Values.app.rowlock }}
- alert: RowlockOutboxNotDraining
  expr: max by (namespace) (rowlock_outbox_oldest_seconds) > {{ int64 .Values.metrics.rules.thresholds.outboxSeconds }}
  for: 2m
  labels:
    severity: critical
  annotations:
    summary: What users ask for is accepted and not begun, as it does not reach the broker.
    description: >-
      The oldest accepted run of {{`{{ $labels.namespace }}`}} has waited {{`{{ $value | humanizeDuration }}`}} to be published.
{{- end }}
{{- end -}}
