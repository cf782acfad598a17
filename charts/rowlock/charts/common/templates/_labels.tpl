{{/* Labels and selectors of a component. Called with (dict "root" $ "component" "web" ["pool" "heavy"]). */}}
{{- define "common.selectorLabels" -}}
app.kubernetes.io/name: {{ include "common.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- with .pool }}
rowlock.dev/pool: {{ . }}
{{- end }}
{{- end -}}

{{/* Without the chart's version: that alone must not replace pods. */}}
{{- define "common.podLabels" -}}
{{ include "common.selectorLabels" . }}
app.kubernetes.io/part-of: rowlock
app.kubernetes.io/version: {{ include "common.version" .root | quote }}
{{- end -}}

{{- define "common.labels" -}}
{{ include "common.podLabels" . }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 }}
{{- end -}}

{{/* Metadata of an object: (dict "root" $ "component" "web" "name" "..." ["annotations" map]). */}}
{{- define "common.metadata" -}}
name: {{ .name }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "common.labels" . | nindent 2 }}
{{- with .annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
