{{/*
Postgres, RabbitMQ and Redis as the application sees them: each the subchart's or somebody else's. A map by subchart of
the variable that holds its URL, its port, and for a subchart the URL with `$(...)` where the password goes.
*/}}
{{- define "rowlock.services" -}}
{{- range $name, $about := include "rowlock.serviceKinds" . | fromYaml }}
{{ $name }}:
  variable: {{ $about.variable }}
  {{- with index $.Subcharts $name }}
  port: {{ $about.port }}
  host: {{ include "common.serviceName" . }}
  passwordVariable: {{ upper $name }}_PASSWORD
  url: {{ include (printf "rowlock.url.%s" $name) . | quote }}
  {{- else }}
  {{- $external := index $.Values $about.external }}
  port: {{ int64 $external.port }}
  external: {{ $about.external }}
  secret: {{ $external.existingSecret | default (include "rowlock.externalSecret" $) }}
  key: {{ ternary $external.existingSecretKey (printf "%s-url" $name) (not (empty $external.existingSecret)) }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "rowlock.serviceKinds" -}}
postgresql: {variable: DATABASE_URL, port: 5432, external: externalPostgresql}
rabbitmq: {variable: BROKER_URL, port: 5672, external: externalRabbitmq}
redis: {variable: REDIS_URL, port: 6379, external: externalRedis}
{{- end -}}

{{- define "rowlock.url.postgresql" -}}
postgres://{{ urlquery .Values.auth.username }}:$(POSTGRESQL_PASSWORD)@{{ include "common.serviceName" . }}:5432/{{ urlquery .Values.auth.database }}
{{- end -}}

{{- define "rowlock.url.rabbitmq" -}}
amqp://{{ urlquery .Values.auth.username }}:$(RABBITMQ_PASSWORD)@{{ include "common.serviceName" . }}:5672/{{ urlquery .Values.auth.vhost }}
{{- end -}}

{{- define "rowlock.url.redis" -}}
redis://:$(REDIS_PASSWORD)@{{ include "common.serviceName" . }}:6379/0
{{- end -}}

{{- define "rowlock.externalSecret" -}}
{{ include "common.fullname" . }}-external
{{- end -}}

{{/* The URLs that were given in the values, by their key in the external Secret, as YAML. */}}
{{- define "rowlock.externalUrls" -}}
{{- $urls := dict -}}
{{- range $name, $service := include "rowlock.services" . | fromYaml -}}
  {{- if $service.external -}}
    {{- $external := index $.Values $service.external -}}
    {{- if and $external.url (not $external.existingSecret) -}}
      {{- $_ := set $urls $service.key $external.url -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if and (not .Subcharts.rabbitmq) .Values.externalRabbitmq.managementUrl -}}
  {{- $_ := set $urls "rabbitmq-management-url" .Values.externalRabbitmq.managementUrl -}}
{{- end -}}
{{- toYaml $urls -}}
{{- end -}}
