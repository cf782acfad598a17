{{- define "rowlock.rules.pools" -}}
- record: rowlock:pool:backlog
  expr: sum by (namespace, pool) (max by (namespace, pool, queue, state) (rowlock_queue_messages))
- record: rowlock:pool:ready
  expr: |
    sum by (namespace, pool) (
      max by (namespace, pool, queue) (rowlock_queue_messages{state="ready"})
      unless on (namespace, queue) rowlock_queue_paused == 1
    )
{{- if .Values.app.rowlock }}
- record: rowlock:pool:saturation
  expr: sum by (namespace, pool) (rowlock_tasks_running) / sum by (namespace, pool) (rowlock_worker_slots)
- record: rowlock:pool:tasks:rate5m
  expr: sum by (namespace, pool, outcome) (rate(rowlock_tasks_total[5m]))
- record: rowlock:pool:starts:increase1h
  expr: sum by (namespace, pool) (increase(rowlock_task_wait_seconds_count[1h]))
- record: rowlock:pool:ends:increase1h
  expr: sum by (namespace, pool) (increase(rowlock_tasks_total{outcome!~"retried|requeued"}[1h]))
{{- include "rowlock.rules.quantiles" (dict "level" "pool" "what" "wait") }}
{{- include "rowlock.rules.moving" . }}
{{- end }}
{{- end -}}

{{- define "rowlock.rules.tasks" -}}
{{- if .Values.app.rowlock }}
- record: rowlock:task:tasks:rate5m
  expr: sum by (namespace, task, outcome) (rate(rowlock_tasks_total[5m]))
{{- include "rowlock.rules.quantiles" (dict "level" "task" "what" "wait") }}
{{- include "rowlock.rules.quantiles" (dict "level" "task" "what" "run") }}
{{- end }}
{{- end -}}

{{/* (dict "level" "pool" "what" "wait") */}}
{{- define "rowlock.rules.quantiles" -}}
{{- range $share := list "50" "95" "99" }}
- record: rowlock:{{ $.level }}:{{ $.what }}_seconds:p{{ $share }}_5m
  expr: histogram_quantile(0.{{ $share }}, sum by (namespace, {{ $.level }}, le) (rate(rowlock_task_{{ $.what }}_seconds_bucket[5m])))
{{- end }}
{{- end -}}

{{/*
Pools that do their work: tasks have ended, be it in another pool that shares a queue, or run and may still end within their
time limit. Not when something has run for all of that time and nothing has ended in it.
*/}}
{{- define "rowlock.rules.moving" -}}
{{- range $limit, $pools := include "rowlock.rules.alike" (dict "pools" (include "rowlock.pools" . | fromYaml) "key" "taskTimeLimit") | fromYaml }}
{{- $patience := printf "%ds" (add (int64 $limit) 60) }}
{{- $ended := printf "rowlock_tasks_total{pool=~%q,outcome!~\"requeued|lost\"}" $pools }}
- record: rowlock:pool:moving
  expr: |
    sum by (namespace, pool) (increase({{ $ended }}[5m])) > bool 0 == 1
    or
    sum by (namespace, pool) (increase(rowlock_queue_acknowledged_total{pool=~"{{ $pools }}"}[5m])) > bool 0 == 1
    or
    sum by (namespace, pool) (rowlock_tasks_running{pool=~"{{ $pools }}"}) > bool 0 == 1
    unless (
      sum by (namespace, pool) (rowlock_tasks_running{pool=~"{{ $pools }}"} offset {{ $patience }}) > 0
      unless sum by (namespace, pool) (increase({{ $ended }}[{{ $patience }}])) > 0
    )
{{- end }}
{{- end -}}
