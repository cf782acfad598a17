{{- define "rowlock.webName" -}}
{{ include "common.fullname" . }}-web
{{- end -}}

{{- define "rowlock.configName" -}}
{{ include "common.fullname" . }}-config
{{- end -}}

{{/* Does web serve health and metrics on port 9540? The ASGI application of the rowlock app does. */}}
{{- define "rowlock.webHealth" -}}
{{- if and .Values.app.rowlock .Values.app.asgi (not .Values.web.command) -}}true{{- end -}}
{{- end -}}
