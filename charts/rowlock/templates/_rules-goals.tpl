{{/* What each pool is held to, as series: one place for alerts and dashboards to take it from. */}}
{{- define "rowlock.rules.goals" -}}
{{- $goals := dict -}}
{{- range $name, $pool := include "rowlock.pools" . | fromYaml -}}
  {{- $_ := set $goals $name $pool.goals -}}
{{- end -}}
{{- $records := dict "wait_goal_seconds" "waitSeconds" "wait_goal_share" "waitShare" "failure_goal_share" "failureShare" -}}
{{- range $record, $key := $records }}
{{- range $value, $pools := include "rowlock.rules.alike" (dict "pools" $goals "key" $key) | fromYaml }}
- record: rowlock:pool:{{ $record }}
  expr: {{ printf "group by (namespace, pool) (rowlock_worker_slots{pool=~%q} or rowlock_queue_messages{pool=~%q}) * %s" $pools $pools $value | quote }}
{{- end }}
{{- end }}
{{- if .Values.app.rowlock }}
{{- range $value, $pools := include "rowlock.rules.alike" (dict "pools" $goals "key" "waitSeconds") | fromYaml }}
{{- range $window := list "5m" "30m" "1h" "6h" }}
- record: rowlock:pool:wait_over_goal:ratio_rate{{ $window }}
  expr: |
    1 - sum by (namespace, pool) (rate(rowlock_task_wait_seconds_bucket{pool=~"{{ $pools }}",le="{{ include "rowlock.rules.bound" $value }}"}[{{ $window }}]))
    / sum by (namespace, pool) (rate(rowlock_task_wait_seconds_count{pool=~"{{ $pools }}"}[{{ $window }}]))
{{- end }}
{{- end }}
{{- range $window := list "5m" "30m" "1h" "6h" }}
- record: rowlock:pool:failures:ratio_rate{{ $window }}
  expr: |
    sum by (namespace, pool) (rate(rowlock_tasks_total{outcome=~"failed|timed_out|lost|rejected"}[{{ $window }}]))
    / sum by (namespace, pool) (rate(rowlock_tasks_total{outcome!~"retried|requeued"}[{{ $window }}]))
{{- end }}
{{- end }}
{{- end -}}

{{/* A bucket's bound as Python writes it into the label `le`. */}}
{{- define "rowlock.rules.bound" -}}
{{- contains "." . | ternary . (printf "%s.0" .) -}}
{{- end -}}
