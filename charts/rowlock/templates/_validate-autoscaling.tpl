{{- define "rowlock.validate.autoscaling" -}}
{{- range $name, $pool := include "rowlock.pools" . | fromYaml -}}
  {{- $path := printf "workers.%s" $name -}}
  {{- $given := index $.Values.workers $name -}}
  {{- if $pool.autoscaling.enabled -}}
    {{- if and (hasKey $given "replicas") (not (kindIs "invalid" $given.replicas)) -}}
      {{- fail (printf "%s.replicas and %s.autoscaling are both set, and would fight: leave out replicas, and set autoscaling.min and max." $path $path) -}}
    {{- end -}}
    {{- include "rowlock.validate.bounds" (dict "path" $path "values" $pool) -}}
    {{- include "rowlock.validate.engine" (dict "root" $ "path" $path "pool" $pool) -}}
  {{- end -}}
{{- end -}}
{{- with .Values.web -}}
  {{- if .autoscaling.enabled -}}
    {{- if not (kindIs "invalid" .replicas) -}}
      {{- fail "web.replicas and web.autoscaling are both set, and would fight: leave out replicas, and set autoscaling.min and max." -}}
    {{- end -}}
    {{- if lt (int64 .autoscaling.min) 1 -}}
      {{- fail "web.autoscaling.min is 0: nobody would answer, and nothing would wake the pods. Set it to 1 at least." -}}
    {{- end -}}
    {{- include "rowlock.validate.bounds" (dict "path" "web" "values" .) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* (dict "path" "workers.heavy" "values" map) */}}
{{- define "rowlock.validate.bounds" -}}
{{- $autoscaling := .values.autoscaling -}}
{{- $min := int64 $autoscaling.min -}}
{{- $max := int64 $autoscaling.max -}}
{{- if gt $min $max -}}
  {{- fail (printf "%s.autoscaling.min (%d) is above max (%d): lower min, or raise max." .path $min $max) -}}
{{- end -}}
{{- $budget := .values.podDisruptionBudget -}}
{{- if and $budget.enabled (gt $max 1) -}}
  {{- $stays := $budget.minAvailable -}}
  {{- if or (eq (toString $stays) "100%") (and (not (kindIs "string" $stays)) (gt (int64 $stays) 0) (ge (int64 $stays) (max 1 $min))) -}}
    {{- fail (printf "%s.podDisruptionBudget.minAvailable (%v) is not below autoscaling.min (%d): a pool that has shrunk could not lose a pod, and drains of its nodes would hang. Lower it, or use maxUnavailable." .path $stays $min) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* (dict "root" $ "path" "workers.heavy" "pool" map) */}}
{{- define "rowlock.validate.engine" -}}
{{- $autoscaling := .pool.autoscaling -}}
{{- $engine := include "rowlock.autoscaler" . -}}
{{- $sure := ne $autoscaling.engine "auto" -}}
{{- if and $sure (eq $engine "keda") (or $autoscaling.cpu $autoscaling.metrics) -}}
  {{- fail (printf "%s.autoscaling has engine keda and cpu or metrics, which are for engine hpa: leave them out, or change the engine." .path) -}}
{{- end -}}
{{- if and $sure (eq $engine "hpa") (or $autoscaling.messagesPerWorker $autoscaling.maxWait) -}}
  {{- fail (printf "%s.autoscaling has engine hpa and messagesPerWorker or maxWait, which only KEDA knows: leave them out, or set the engine to keda." .path) -}}
{{- end -}}
{{- if eq $engine "hpa" -}}
  {{- if lt (int64 $autoscaling.min) 1 -}}
    {{- fail (printf "%s.autoscaling.min is 0, and a plain HPA cannot wake a pool%s: set min to 1." .path ($sure | ternary "" " (this cluster has no KEDA; for `helm template`, --api-versions keda.sh/v1alpha1 says that yours has, or set the engine to keda)")) -}}
  {{- end -}}
  {{- if and (not $autoscaling.metrics) (not (dig "requests" "cpu" "" .pool.resources)) -}}
    {{- fail (printf "%s.autoscaling is an HPA on CPU, which is a share of resources.requests.cpu: set that, or autoscaling.metrics." .path) -}}
  {{- end -}}
{{- end -}}
{{- if eq $engine "keda" -}}
  {{- if and $autoscaling.maxWait (not .root.Values.autoscaling.prometheus.serverAddress) -}}
    {{- fail (printf "%s.autoscaling.maxWait needs a Prometheus that scrapes the collector: set autoscaling.prometheus.serverAddress to its URL, or leave out maxWait." .path) -}}
  {{- end -}}
  {{- if and $autoscaling.maxWait (not (and .root.Values.app.rowlock .root.Values.metrics.collector.enabled)) -}}
    {{- fail (printf "%s.autoscaling.maxWait needs the age of messages, which the collector tells with the rowlock app: set app.rowlock and metrics.collector.enabled, or leave out maxWait." .path) -}}
  {{- end -}}
  {{- $wake := int64 $autoscaling.wake -}}
  {{- if and (gt $wake 1) (gt (int64 $autoscaling.min) 0) -}}
    {{- fail (printf "%s.autoscaling.wake (%d) is for pools that sleep, and min is %d: set min to 0, or leave out wake." .path $wake (int64 $autoscaling.min)) -}}
  {{- end -}}
  {{- if gt $wake (int64 $autoscaling.max) -}}
    {{- fail (printf "%s.autoscaling.wake (%d) is above max (%d): lower wake, or raise max." .path $wake (int64 $autoscaling.max)) -}}
  {{- end -}}
  {{- $external := .root.Values.externalRabbitmq -}}
  {{- if and (not .root.Subcharts.rabbitmq) (not (or $external.managementUrl $external.existingSecretManagementKey)) -}}
    {{- fail (printf "%s.autoscaling asks RabbitMQ's management API: set externalRabbitmq.managementUrl, or externalRabbitmq.existingSecretManagementKey to its key in externalRabbitmq.existingSecret." .path) -}}
  {{- end -}}
{{- end -}}
{{- end -}}
