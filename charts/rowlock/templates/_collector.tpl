{{- define "rowlock.collector.context" -}}
component: collector
name: {{ include "common.fullname" . }}-collector
{{- end -}}

{{/* Without pools there are no queues to watch. */}}
{{- define "rowlock.collects" -}}
{{- and .Values.metrics.collector.enabled (include "rowlock.pools" . | fromYaml) | empty | ternary "" "true" -}}
{{- end -}}

{{- define "rowlock.collector.container" -}}
name: collector
command: [python, -m, rowlock.collector]
ports:
  - name: health
    containerPort: 9540
{{ include "rowlock.healthProbes" (dict "boot" 120) }}
{{- end -}}

{{/* Without the rowlock app it is nobody's Django process: it knows the broker, measures, and leaves the queues alone. */}}
{{- define "rowlock.collector.env" -}}
ROWLOCK_QUEUES: {{ include "rowlock.queues" . | quote }}
ROWLOCK_POLICIES: {{ and .Values.app.rowlock .Values.metrics.collector.policies | quote }}
{{- with include "rowlock.managementEnv" . }}
{{ . }}
{{- end }}
ROWLOCK_PODS_MAX: {{ include "rowlock.podsMax" . | quote }}
{{- if include "rowlock.collector.token" . }}
ROWLOCK_RELEASE: {{ .Release.Name }}
{{ include "rowlock.podEnv" . }}
{{- end }}
{{- end -}}

{{/* What it watches beside RabbitMQ's management API; of a RabbitMQ elsewhere also the certificate of AMQP. */}}
{{- define "rowlock.collector.services" -}}
{{- $services := ternary (list "postgresql" "redis") list .Values.app.rowlock -}}
{{- if not .Subcharts.rabbitmq -}}{{- $services = append $services "rabbitmq" -}}{{- end -}}
{{- toYaml $services -}}
{{- end -}}

{{/* Does it ask the API server? */}}
{{- define "rowlock.collector.token" -}}
{{- and (eq (include "rowlock.collects" .) "true") .Values.metrics.collector.kubernetes | ternary "true" "" -}}
{{- end -}}

{{/* The pods that each pool may grow to, as JSON. */}}
{{- define "rowlock.podsMax" -}}
{{- $most := dict -}}
{{- range $name, $pool := include "rowlock.pools" . | fromYaml -}}
  {{- $_ := set $most $name ($pool.autoscaling.enabled | ternary $pool.autoscaling.max $pool.replicas | int64) -}}
{{- end -}}
{{- toJson $most -}}
{{- end -}}

{{/* The management API's URL for those who ask it, where the broker's does not tell it. */}}
{{- define "rowlock.managementEnv" -}}
{{- with include "rowlock.managementUrlRef" . -}}
RABBITMQ_MANAGEMENT_URL:
  {{- . | nindent 2 }}
{{- end -}}
{{- end -}}

{{/* Where the URL of an external RabbitMQ's management API is kept; empty where it derives from the broker's. */}}
{{- define "rowlock.managementUrlRef" -}}
{{- $external := .Values.externalRabbitmq -}}
{{- if .Subcharts.rabbitmq -}}
{{- else if $external.managementUrl -}}
secretKeyRef:
  name: {{ include "rowlock.externalSecret" . }}
  key: rabbitmq-management-url
{{- else if $external.existingSecretManagementKey -}}
secretKeyRef:
  name: {{ $external.existingSecret }}
  key: {{ $external.existingSecretManagementKey }}
{{- end -}}
{{- end -}}
