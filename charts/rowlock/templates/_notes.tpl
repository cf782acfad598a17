{{/* The open points of this release, one a line. Nothing here stops anything from running. */}}
{{- define "rowlock.notes.missing" -}}
{{- $web := .Values.web -}}
{{- if not $web.https }}
- HTTPS is off (web.https): cookies travel in the clear. Turn it on once browsers come over TLS.
{{- end }}
{{- if not (or $web.ingress.enabled $web.httpRoute.enabled (ne $web.service.type "ClusterIP")) }}
- Nobody outside the cluster reaches the web server: web.ingress, web.httpRoute or web.service.type.
{{- end }}
{{- if lt (int64 $web.replicas) 2 }}
- A single web pod: a node that goes takes the site along (web.replicas).
{{- end }}
{{- if and .Values.app.rowlock .Values.networkPolicy.enabled (not .Values.networkPolicy.metrics.from) }}
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
{{- if not .Values.beat.enabled }}
- Nothing is scheduled: beat.enabled is false.
{{- end }}
{{- if not .Values.migrations.enabled }}
- Nobody migrates the database: migrations.enabled is false.
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
