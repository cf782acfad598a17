{{/* JSON by the dashboard's name, taken as it is: the braces in it are Grafana's. */}}
{{- define "rowlock.dashboards" -}}
{{- $dashboards := .Values.metrics.dashboards -}}
{{- if $dashboards.enabled -}}
{{- range $path, $_ := .Files.Glob "dashboards/*.json" }}
{{ base $path | trimSuffix ".json" }}: {{ $.Files.Get $path | replace "http://localhost:8000" (include "rowlock.consoleUrl" $) | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Where browsers reach the web pods, as far as the chart knows; no slash at its end. */}}
{{- define "rowlock.consoleUrl" -}}
{{- $web := .Values.web -}}
{{- $hosts := concat ($web.ingress.enabled | ternary $web.ingress.hosts list) ($web.httpRoute.enabled | ternary $web.httpRoute.hostnames list) -}}
{{- $host := "" -}}
{{- range reverse $hosts -}}
  {{- if not (hasPrefix "*" .) -}}{{- $host = . -}}{{- end -}}
{{- end -}}
{{- $scheme := or $web.https (and $web.ingress.enabled $web.ingress.tls) | empty | ternary "http" "https" -}}
{{- $known := $host | empty | ternary "http://localhost:8000" (printf "%s://%s" $scheme $host) -}}
{{- .Values.metrics.dashboards.consoleUrl | default $known | trimSuffix "/" -}}
{{- end -}}

{{/* (dict "root" $ "name" "overview" "labels" dict) */}}
{{- define "rowlock.dashboards.metadata" -}}
{{- $dashboards := .root.Values.metrics.dashboards -}}
{{- $labels := include "common.labels" (dict "root" .root "component" "dashboards") | fromYaml -}}
name: {{ include "common.fullname" .root }}-dashboard-{{ .name }}
namespace: {{ $dashboards.namespace | default .root.Release.Namespace }}
labels:
  {{- include "common.merge" (dict "base" $labels "over" .labels) | nindent 2 }}
{{- with .annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
