{{/*
What the collector is told of the queues of the pools, as JSON: a queue of several pools has the name of the first and the
patience of the longest.
*/}}
{{- define "rowlock.queues" -}}
{{- $queues := dict -}}
{{- range $name, $pool := include "rowlock.pools" . | fromYaml -}}
  {{- $timeout := include "rowlock.consumerTimeout" $pool | int64 -}}
  {{- range $pool.queues -}}
    {{- $known := get $queues . | default (dict "pool" $name "consumerTimeout" 0) -}}
    {{- $_ := set $queues . (set $known "consumerTimeout" (max $timeout $known.consumerTimeout)) -}}
  {{- end -}}
{{- end -}}
{{- toJson $queues -}}
{{- end -}}

{{/*
Seconds after which RabbitMQ takes a message away from a worker of a pool. One that is held waits for those before it, runs,
and is acknowledged when it is in the history. Never below RabbitMQ's own 30 minutes: other pools than prefork have no time
limit that is kept.
*/}}
{{- define "rowlock.consumerTimeout" -}}
{{- $waiting := mul (sub (int64 .prefetch) 1) (int64 .taskTimeLimit) -}}
{{- max 1800 (add $waiting (include "rowlock.workerGrace" . | int64) 60) -}}
{{- end -}}
