{{- define "common.passwordSecret" -}}
{{- .Values.auth.existingSecret | default (include "common.generatedSecret" .) -}}
{{- end -}}

{{/* The EnvVar source of a service's password. */}}
{{- define "common.passwordRef" -}}
secretKeyRef:
  name: {{ include "common.passwordSecret" . }}
  key: {{ .Values.auth.passwordKey }}
{{- end -}}
