{{/* Who scales a pool: keda, hpa, or nobody. (dict "root" $ "pool" map) */}}
{{- define "rowlock.autoscaler" -}}
{{- if .pool.autoscaling.enabled -}}
  {{- $keda := .root.Capabilities.APIVersions.Has "keda.sh/v1alpha1" | ternary "keda" "hpa" -}}
  {{- eq .pool.autoscaling.engine "auto" | ternary $keda .pool.autoscaling.engine -}}
{{- end -}}
{{- end -}}

{{/* The pools that KEDA scales, as `rowlock.pools` gives them. */}}
{{- define "rowlock.kedaPools" -}}
{{- $pools := dict -}}
{{- range $name, $pool := include "rowlock.pools" . | fromYaml -}}
  {{- if eq (include "rowlock.autoscaler" (dict "root" $ "pool" $pool)) "keda" -}}
    {{- $_ := set $pools $name $pool -}}
  {{- end -}}
{{- end -}}
{{- toYaml $pools -}}
{{- end -}}

{{/*
The name of an autoscaler. KEDA makes a label of it, and the name of an HPA with `keda-hpa-` before it; neither may be longer
than 63.
*/}}
{{- define "rowlock.autoscalerName" -}}
{{- gt (len .) 54 | ternary (printf "%s-%s" (trunc 45 . | trimSuffix "-") (sha256sum . | trunc 8)) . -}}
{{- end -}}

{{- define "rowlock.scaleTarget" -}}
apiVersion: apps/v1
kind: Deployment
name: {{ . }}
{{- end -}}

{{/* Messages for which a pool wants one more pod: as many as it works on at once. */}}
{{- define "rowlock.messagesPerWorker" -}}
{{- .autoscaling.messagesPerWorker | default .concurrency | int64 -}}
{{- end -}}

{{/* Pods while nobody knows how many messages there are: never fewer than there were, and never none. */}}
{{- define "rowlock.fallback" -}}
{{- $fallback := .autoscaling.fallback -}}
failureThreshold: {{ int64 $fallback.failures }}
replicas: {{ $fallback.replicas | default (max 1 (int64 .autoscaling.min)) | int64 }}
behavior: currentReplicasIfHigher
{{- end -}}

{{/* The triggers of a pool: (dict "root" $ "name" "heavy" "pool" map). HPAs take the largest answer. */}}
{{- define "rowlock.triggers" -}}
{{- $pool := .pool -}}
# Ready and unacknowledged: a busy pod holds its place. A regular expression takes the sum of the queues, and counts a queue
# that nobody has declared yet as empty.
- type: rabbitmq
  name: backlog
  metadata:
    protocol: http
    {{- include "rowlock.triggerAddress" .root | nindent 4 }}
    queueName: {{ include "rowlock.queuePattern" $pool.queues | quote }}
    useRegex: "true"
    mode: QueueLength
    value: {{ include "rowlock.messagesPerWorker" $pool | quote }}
  authenticationRef:
    name: {{ include "common.fullname" .root }}-rabbitmq
{{- with $pool.autoscaling.maxWait }}
{{- $prometheus := $.root.Values.autoscaling.prometheus }}
# Value: the pods there are, times how far the wait is above what is wanted; AverageValue would take seconds for pods.
- type: prometheus
  name: waiting
  metricType: Value
  metadata:
    serverAddress: {{ $prometheus.serverAddress | quote }}
    query: {{ include "rowlock.waitQuery" $ | quote }}
    threshold: {{ int64 . | quote }}
    # Messages wake a pool; an old sample of their age must not.
    activationThreshold: {{ int64 . | quote }}
    # No such series is a mistake and no short wait.
    ignoreNullValues: "false"
  {{- with $prometheus.authenticationRef }}
  authenticationRef:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "rowlock.queuePattern" -}}
{{- $patterns := list -}}
{{- range . -}}{{- $patterns = append $patterns (regexQuoteMeta .) -}}{{- end -}}
^({{ join "|" $patterns }})$
{{- end -}}

{{- define "rowlock.waitQuery" -}}
{{- $matchers := list (printf "pool=%q" .name) -}}
{{- range $name, $value := .root.Values.autoscaling.prometheus.labels | default (dict "namespace" .root.Release.Namespace) -}}
  {{- $matchers = append $matchers (printf "%s=%q" $name $value) -}}
{{- end -}}
max(rowlock_queue_oldest_seconds{ {{- join "," $matchers -}} })
{{- end -}}

{{/* Where RabbitMQ's management API is, as far as it is no secret. */}}
{{- define "rowlock.triggerAddress" -}}
{{- with .Subcharts.rabbitmq -}}
host: http://{{ include "common.serviceName" . }}.{{ .Release.Namespace }}.svc:15672
vhostName: {{ .Values.auth.vhost | quote }}
{{- else -}}
vhostName: {{ .Values.externalRabbitmq.vhost | quote }}
{{- end -}}
{{- end -}}

{{/* Pods of a Deployment in words: (dict "values" map "replicas" 2). */}}
{{- define "rowlock.replicasText" -}}
{{- $autoscaling := .values.autoscaling -}}
{{- $autoscaling.enabled | ternary (printf "%d to %d" (int64 $autoscaling.min) (int64 $autoscaling.max)) (printf "%d" (int64 .replicas)) -}}
{{- end -}}

{{- define "rowlock.webReplicas" -}}
{{- kindIs "invalid" .Values.web.replicas | ternary 2 .Values.web.replicas | int64 -}}
{{- end -}}
