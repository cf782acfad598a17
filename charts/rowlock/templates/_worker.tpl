{{/* What the objects of a pool have in common: (dict "root" $ "pool" "heavy"). */}}
{{- define "rowlock.worker.context" -}}
component: worker
pool: {{ .pool }}
name: {{ include "common.fullname" .root }}-worker-{{ .pool }}
{{- end -}}

{{- define "rowlock.worker.container" -}}
name: worker
command:
  {{- include "rowlock.workerCommand" . | nindent 2 }}
{{- include "rowlock.backgroundHealth" (dict "root" .root "boot" 600) }}
{{- end -}}

{{/* Port and probes of a process that serves nothing else; nothing at all without the rowlock app. */}}
{{- define "rowlock.backgroundHealth" -}}
{{- if .root.Values.app.rowlock }}
ports:
  - name: health
    containerPort: 9540
{{ include "rowlock.healthProbes" . }}
{{- end }}
{{- end -}}
