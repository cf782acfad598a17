{{/*
Deep merge of (dict "base" map "over" map) as YAML; `null` removes. Sprig's merge functions take 0 and false for
"not set".
*/}}
{{- define "common.merge" -}}
{{- $out := deepCopy .base -}}
{{- range $key, $value := .over -}}
  {{- $old := get $out $key -}}
  {{- if kindIs "invalid" $value -}}
    {{- $_ := unset $out $key -}}
  {{- else if and (kindIs "map" $value) (kindIs "map" $old) -}}
    {{- $_ := set $out $key (include "common.merge" (dict "base" $old "over" $value) | fromYaml) -}}
  {{- else -}}
    {{- $_ := set $out $key $value -}}
  {{- end -}}
{{- end -}}
{{- toYaml $out -}}
{{- end -}}

{{/* A map without its nulls. */}}
{{- define "common.compact" -}}
{{- include "common.merge" (dict "base" dict "over" .) -}}
{{- end -}}

{{/* A scalar as text: whole numbers without an exponent. */}}
{{- define "common.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}{{ int64 . }}{{- else -}}{{ toString . }}{{- end -}}
{{- end -}}
