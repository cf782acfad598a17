{{/* The open points of this release, one a line. Nothing here stops anything from running. */}}
{{- define "rowlock.notes.missing" -}}
{{- $web := .Values.web -}}
{{- if not $web.https }}
- HTTPS is off (web.https): cookies travel in the clear. Turn it on once browsers come over TLS.
{{- end }}
{{- if not (or $web.ingress.enabled $web.httpRoute.enabled (ne $web.service.type "ClusterIP")) }}
- Nobody outside the cluster reaches the web server: web.ingress, web.httpRoute or web.service.type.
{{- end }}
{{- if lt ($web.autoscaling.enabled | ternary $web.autoscaling.min (include "rowlock.webReplicas" .) | int64) 2 }}
- A single web pod: a node that goes takes the site along (web.replicas, or web.autoscaling.min).
{{- end }}
{{- if and (or .Values.app.rowlock (include "rowlock.collects" .)) .Values.networkPolicy.enabled (not .Values.networkPolicy.metrics.from) }}
- Nobody may scrape port 9540: name your Prometheus in networkPolicy.metrics.from.
{{- end }}
{{- if not .Values.networkPolicy.enabled }}
- Any pod of the cluster reaches every port: networkPolicy.enabled is false.
{{- end }}
{{- range $name, $about := include "rowlock.serviceKinds" . | fromYaml }}
{{- with index $.Subcharts $name }}
- {{ $name }} is one pod{{ if not .Values.persistence.enabled }} WITHOUT A VOLUME: its data goes with it ({{ $name }}.persistence.enabled){{ else }} with one volume: for production see {{ $about.external }}{{ end }}.
{{- end }}
{{- end }}
{{- if eq .Values.image.repository "ghcr.io/rowlock/rowlock" }}
- It runs the example project: set image.repository and app to your own.
{{- end }}
{{- if not .Values.app.rowlock }}
- Workers and beat have no probes and no metrics: those come with the rowlock app (app.rowlock).
{{- end }}
{{- if not .Values.metrics.collector.enabled }}
- Nobody measures the queues: metrics.collector.enabled is false.
{{- else if not (or .Subcharts.rabbitmq (include "rowlock.managementUrlRef" .)) }}
- Queues are measured on port 15672 of the external RabbitMQ's host: if its management API is elsewhere, set externalRabbitmq.managementUrl.
{{- end }}
{{- if and .Values.metrics.dashboards.enabled (not .Values.metrics.rules.enabled) }}
- The dashboards need recording rules: metrics.rules.enabled, or the files in the chart's rules/ in your Prometheus.
{{- end }}
{{- include "rowlock.notes.patience" . }}
{{- if not .Values.beat.enabled }}
- Nothing is scheduled: beat.enabled is false.
{{- end }}
{{- if not .Values.migrations.enabled }}
- Nobody migrates the database: migrations.enabled is false.
{{- end }}
{{- end -}}

{{- define "rowlock.notes.flower" -}}
{{- $auth := .Values.flower.auth -}}
{{- $name := (include "rowlock.flower.context" . | fromYaml).name -}}
{{- $secret := $auth.existingSecret | default (include "common.generatedSecret" .) -}}
Open Flower as {{ $auth.username }}
  kubectl port-forward --namespace {{ .Release.Namespace }} service/{{ $name }} 5555
  then http://localhost:5555/ with the password
  kubectl get secret --namespace {{ .Release.Namespace }} {{ $secret }} --output go-template='{{ printf "{{index .data %q | base64decode}}" $auth.passwordKey }}'
{{- end -}}

{{/* Pools whose messages RabbitMQ would take away, where no policy tells it to wait. */}}
{{- define "rowlock.notes.patience" -}}
{{- $collector := .Values.metrics.collector -}}
{{- if not (and .Values.app.rowlock $collector.enabled $collector.policies) }}
{{- $patience := empty .Subcharts.rabbitmq | ternary 1800 21600 }}
{{- range $name, $pool := include "rowlock.pools" . | fromYaml }}
{{- $needed := include "rowlock.consumerTimeout" $pool | int64 }}
{{- if gt $needed $patience }}
- RabbitMQ takes messages away after {{ $patience }} s, and pool {{ $name }} may hold one for {{ $needed }} s: set a policy with that consumer-timeout.
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "rowlock.notes.address" -}}
{{- $web := .Values.web -}}
{{- $scheme := $web.https | ternary "https" "http" -}}
{{- range include "rowlock.publicHosts" . | fromYamlArray }}
  {{ $scheme }}://{{ . }}/
{{- else }}
  kubectl port-forward --namespace {{ .Release.Namespace }} service/{{ include "rowlock.webName" . }} 8000:{{ int64 $web.service.port }}
  then http://localhost:8000/
{{- end }}
{{- end -}}

{{- define "rowlock.notes.claims" -}}
{{- $claims := list -}}
{{- range $name, $about := include "rowlock.serviceKinds" . | fromYaml -}}
  {{- with index $.Subcharts $name -}}
    {{- if and .Values.persistence.enabled (not .Values.persistence.existingClaim) -}}
      {{- $claims = append $claims (printf "data-%s-0" (include "common.serviceName" .)) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- join " " $claims -}}
{{- end -}}
