{{/* The enabled pools by name, each merged over workerDefaults, as YAML. */}}
{{- define "rowlock.pools" -}}
{{- $pools := dict -}}
{{- range $name, $pool := .Values.workers -}}
  {{- if not (kindIs "invalid" $pool) -}}
    {{- $merged := include "common.merge" (dict "base" $.Values.workerDefaults "over" $pool) | fromYaml -}}
    {{- if $merged.enabled -}}{{- $_ := set $pools $name $merged -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- toYaml $pools -}}
{{- end -}}

{{- define "rowlock.softTimeLimit" -}}
{{- $limit := int64 .taskTimeLimit -}}
{{- if kindIs "invalid" .taskSoftTimeLimit -}}
{{- max 1 (min (sub $limit 30) (div (mul $limit 9) 10)) (div $limit 2) -}}
{{- else -}}
{{- int64 .taskSoftTimeLimit -}}
{{- end -}}
{{- end -}}

{{/* Above the hard limit, so that a warm shutdown ends before the kubelet's patience does. */}}
{{- define "rowlock.workerGrace" -}}
{{- add (int64 .taskTimeLimit) 30 -}}
{{- end -}}

{{/* The command of a pool: (dict "root" $ "name" "heavy" "pool" map). */}}
{{- define "rowlock.workerCommand" -}}
{{- $pool := .pool -}}
{{- if $pool.command -}}
{{- toYaml $pool.command -}}
{{- else -}}
{{- $command := list
  "celery" "-A" .root.Values.app.celery "worker"
  "--hostname" (printf "%s@%%h" .name)
  "--queues" (join "," $pool.queues)
  "--pool" $pool.pool
  "--concurrency" ($pool.concurrency | int64 | toString)
  "--prefetch-multiplier" ($pool.prefetch | int64 | toString)
  "--time-limit" ($pool.taskTimeLimit | int64 | toString)
  "--soft-time-limit" (include "rowlock.softTimeLimit" $pool)
-}}
{{- with $pool.maxTasksPerChild -}}
  {{- $command = concat $command (list "--max-tasks-per-child" (. | int64 | toString)) -}}
{{- end -}}
{{- with $pool.maxMemoryPerChild -}}
  {{- $command = concat $command (list "--max-memory-per-child" (. | int64 | toString)) -}}
{{- end -}}
{{- $command = concat $command (list "--without-mingle" "--without-gossip" "--loglevel" $pool.logLevel) $pool.extraArgs -}}
{{- toYaml $command -}}
{{- end -}}
{{- end -}}
