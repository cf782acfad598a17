{{/* The processes of the application, whatever their component: those with a port named `health`. */}}
{{- define "rowlock.podMonitor.context" -}}
component: metrics
name: {{ include "common.fullname" . }}
{{- end -}}

{{- define "rowlock.podMonitor.selector" -}}
matchLabels:
  app.kubernetes.io/instance: {{ .Release.Name }}
  app.kubernetes.io/part-of: rowlock
{{- end -}}

{{/* What is scraped by its Service: a list of component, Service and port. */}}
{{- define "rowlock.serviceMonitors" -}}
{{- with .Subcharts.rabbitmq }}
- component: rabbitmq
  name: {{ include "common.serviceName" . }}
  port: metrics
{{- end }}
{{- if .Values.celeryExporter.enabled }}
- component: celery-exporter
  name: {{ (include "rowlock.celeryExporter.context" . | fromYaml).name }}
  port: metrics
{{- end }}
{{- if .Values.flower.enabled }}
- component: flower
  name: {{ (include "rowlock.flower.context" . | fromYaml).name }}
  port: http
{{- end }}
{{- end -}}

{{/* Metadata of a monitor: the context of an object, and "values" of the monitor. */}}
{{- define "rowlock.monitor.metadata" -}}
{{- $metadata := include "common.metadata" (merge (dict "annotations" .values.annotations) (omit . "values")) | fromYaml -}}
{{- toYaml (set $metadata "labels" (merge $metadata.labels .values.labels)) -}}
{{- end -}}

{{/* An endpoint of a monitor: (dict "port" "health" "values" map ["relabelings" list]). */}}
{{- define "rowlock.monitor.endpoint" -}}
{{- $relabelings := concat (.relabelings | default list) .values.relabelings -}}
port: {{ .port }}
path: /metrics
{{- with .values.interval }}
interval: {{ . }}
{{- end }}
{{- with .values.scrapeTimeout }}
scrapeTimeout: {{ . }}
{{- end }}
{{- with $relabelings }}
relabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Annotations for a Prometheus without the operator, of pods whose container serves metrics on port 9540. */}}
{{- define "rowlock.scrapeAnnotations" -}}
{{- if .root.Values.metrics.scrapeAnnotations -}}
{{- range .container.ports | default list -}}
{{- if eq .name "health" }}
prometheus.io/scrape: "true"
prometheus.io/port: {{ .containerPort | quote }}
prometheus.io/path: /metrics
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "rowlock.validate.metrics" -}}
{{- $metrics := .Values.metrics -}}
{{- $monitors := or $metrics.podMonitor.enabled $metrics.serviceMonitor.enabled -}}
{{- if and $metrics.podMonitor.enabled $metrics.scrapeAnnotations -}}
  {{- fail "metrics.podMonitor.enabled and metrics.scrapeAnnotations are both set, and everything would be counted twice: leave one out." -}}
{{- end -}}
{{- if and $monitors .Values.networkPolicy.enabled (not .Values.networkPolicy.metrics.from) -}}
  {{- fail "metrics.podMonitor or metrics.serviceMonitor is enabled, and the network policies let nobody scrape: name your Prometheus in networkPolicy.metrics.from, as in [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}] for the namespace monitoring." -}}
{{- end -}}
{{- end -}}
