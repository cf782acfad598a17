{{/* The groups of rules; `rowlock.rules.<group>` gives each one's rules as a list, which may be empty. */}}
{{- define "rowlock.rules" -}}
{{- $groups := list "goals" "pools" "tasks" "waiting" "failures" "backlog" "outbox" "beat" "services" "pods" "metrics" -}}
{{- $finished := list -}}
{{- range $group := $groups -}}
  {{- $rules := list -}}
  {{- range include (printf "rowlock.rules.%s" $group) $ | fromYamlArray -}}
    {{- $rule := include "rowlock.rules.finish" (dict "root" $ "rule" .) | fromYaml -}}
    {{- if $rule -}}{{- $rules = append $rules $rule -}}{{- end -}}
  {{- end -}}
  {{- if $rules -}}
    {{- $finished = append $finished (dict "name" (printf "rowlock.%s" $group) "rules" $rules) -}}
  {{- end -}}
{{- end -}}
{{- toYaml $finished -}}
{{- end -}}

{{/* One rule as Prometheus takes it, or nothing for an alert that is switched off: (dict "root" $ "rule" map). */}}
{{- define "rowlock.rules.finish" -}}
{{- $values := .root.Values.metrics.rules -}}
{{- $rule := set .rule "expr" (include "rowlock.rules.select" (dict "root" .root "expr" .rule.expr)) -}}
{{- $name := $rule.alert -}}
{{- $own := dict -}}
{{- if $name -}}
  {{- $own = get $values.alerts $name | default dict -}}
  {{- $labels := merge (dict "severity" ($own.severity | default $rule.labels.severity)) $values.alertLabels $rule.labels -}}
  {{- $page := printf "%s/%s.md" (trimSuffix "/" $values.runbookUrl) $name -}}
  {{- $rule = merge (dict "labels" $labels "annotations" (dict "runbook_url" $page)) $rule -}}
  {{- with $own.for -}}{{- $_ := set $rule "for" . -}}{{- end -}}
{{- end -}}
{{- if dig "enabled" true $own -}}{{- toYaml $rule -}}{{- end -}}
{{- end -}}

{{/* An expression over this release's namespace alone: (dict "root" $ "expr" "..."). Other releases have rules of their own. */}}
{{- define "rowlock.rules.select" -}}
{{- $namespace := .root.Values.metrics.rules.namespace -}}
{{- if kindIs "invalid" $namespace -}}{{- $namespace = .root.Release.Namespace -}}{{- end -}}
{{- $matcher := printf "namespace=%q" $namespace -}}
{{- $expr := trim .expr -}}
{{- if $namespace -}}
  {{- $expr = regexReplaceAll "(rowlock[_:][a-z0-9_:]+)[{]" $expr (printf "${1}{%s," $matcher) -}}
  {{- $expr = regexReplaceAll "(rowlock[_:][a-z0-9_:]+)([^a-z0-9_:{]|$)" $expr (printf "${1}{%s}${2}" $matcher) -}}
{{- end -}}
{{- $expr -}}
{{- end -}}

{{/* Pools that have a value in common, as regular expressions by that value: (dict "pools" map "key" "taskTimeLimit"). */}}
{{- define "rowlock.rules.alike" -}}
{{- $found := dict -}}
{{- $key := .key -}}
{{- range $name, $pool := .pools -}}
  {{- $value := include "common.text" (get $pool $key) -}}
  {{- $_ := set $found $value (append (get $found $value | default list) $name) -}}
{{- end -}}
{{- range $value, $names := $found }}
{{ $value | quote }}: {{ join "|" $names | quote }}
{{- end -}}
{{- end -}}
