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
