{{- define "rowlock.beat.context" -}}
component: beat
name: {{ include "common.fullname" . }}-beat
{{- end -}}

{{/* The name of the Lease that its holder ticks with; empty where the database is the lock. */}}
{{- define "rowlock.beat.lease" -}}
{{- if and .Values.app.rowlock .Values.beat.enabled (eq .Values.beat.lock "lease") -}}
{{ include "common.fullname" . }}-beat
{{- end -}}
{{- end -}}

{{- define "rowlock.beat.env" -}}
{{- if .Values.app.rowlock -}}
ROWLOCK_BEAT_LOCK: {{ .Values.beat.lock }}
{{- with include "rowlock.beat.lease" . }}
ROWLOCK_LEASE_NAME: {{ . }}
{{ include "rowlock.podEnv" $ }}
{{- end }}
{{- end -}}
{{- end -}}

{{- define "rowlock.beat.container" -}}
{{- $beat := .Values.beat -}}
name: beat
command:
  {{- with $beat.command }}
  {{- toYaml . | nindent 2 }}
  {{- else }}
  - celery
  - -A
  - {{ .Values.app.celery }}
  - beat
  - --loglevel
  - {{ $beat.logLevel }}
  - --schedule
  - /tmp/celerybeat-schedule
  - --pidfile=
  {{- with $beat.scheduler }}
  - --scheduler
  - {{ . }}
  {{- end }}
  {{- end }}
{{- include "rowlock.backgroundHealth" (dict "root" . "boot" 300) }}
{{- end -}}
