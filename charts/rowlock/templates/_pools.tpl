{{/* The enabled pools by name, each merged over workerDefaults and with a number for concurrency, as YAML. */}}
{{- define "rowlock.pools" -}}
{{- $pools := dict -}}
{{- range $name, $pool := .Values.workers -}}
  {{- if not (kindIs "invalid" $pool) -}}
    {{- $merged := include "common.merge" (dict "base" $.Values.workerDefaults "over" $pool) | fromYaml -}}
    {{- $concurrency := include "rowlock.concurrency" (dict "name" $name "pool" $merged) | int64 -}}
    {{- $_ := set $merged "concurrency" $concurrency -}}
    {{- if $merged.enabled -}}{{- $_ := set $pools $name $merged -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- toYaml $pools -}}
{{- end -}}

{{/* Tasks at once in a pod: what is given, else its CPUs, and never the node's. (dict "name" "heavy" "pool" map) */}}
{{- define "rowlock.concurrency" -}}
{{- $resources := .pool.resources | default dict -}}
{{- $cpu := dig "limits" "cpu" nil $resources | default (dig "requests" "cpu" nil $resources) | default 1 -}}
{{- if eq .pool.pool "solo" -}}
1
{{- else if .pool.concurrency -}}
{{- int64 .pool.concurrency -}}
{{- else if regexMatch "^([0-9]*[.])?[0-9]+m?$" (toString $cpu) -}}
{{- $number := trimSuffix "m" (toString $cpu) | float64 -}}
{{- max 1 (ceil (hasSuffix "m" (toString $cpu) | ternary (divf $number 1000) $number) | int64) -}}
{{- else -}}
{{- fail (printf "workers.%s.resources has %q for a CPU, from which concurrency derives: write it as in 2, 1.5 or 500m, or set workers.%s.concurrency." .name (toString $cpu) .name) -}}
{{- end -}}
{{- end -}}

{{- define "rowlock.softTimeLimit" -}}
{{- $limit := int64 .taskTimeLimit -}}
{{- if kindIs "invalid" .taskSoftTimeLimit -}}
{{- max 1 (min (sub $limit 30) (div (mul $limit 9) 10)) (div $limit 2) -}}
{{- else -}}
{{- int64 .taskSoftTimeLimit -}}
{{- end -}}
{{- end -}}

{{/* The grace period of a pool: the longest task, which may just have started, and what a drain needs. */}}
{{- define "rowlock.workerGrace" -}}
{{- if kindIs "invalid" .terminationGracePeriodSeconds -}}
{{- include "rowlock.leastWorkerGrace" . -}}
{{- else -}}
{{- int64 .terminationGracePeriodSeconds -}}
{{- end -}}
{{- end -}}

{{/* A worker puts back what still runs 15 s before its grace period is over, and then has to finish. */}}
{{- define "rowlock.leastWorkerGrace" -}}
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
{{- if include "rowlock.taskEvents" .root -}}
  {{- $command = append $command "--task-events" -}}
{{- end -}}
{{- $command = concat $command (list "--without-mingle" "--without-gossip" "--loglevel" $pool.logLevel) $pool.extraArgs -}}
{{- toYaml $command -}}
{{- end -}}
{{- end -}}
