{{/* (dict "root" $ "component" "web" ["pool" "heavy"] "name" "..." "values" .Values.web) */}}
{{- define "rowlock.podDisruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "common.metadata" (omit . "values") | nindent 2 }}
spec:
  {{- if not (kindIs "invalid" .values.podDisruptionBudget.minAvailable) }}
  minAvailable: {{ .values.podDisruptionBudget.minAvailable }}
  {{- else }}
  maxUnavailable: {{ .values.podDisruptionBudget.maxUnavailable }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "common.selectorLabels" . | nindent 6 }}
{{- end -}}

{{/*
A budget for a single replica would block every drain of its node: (dict "values" map "replicas" 2). The one of an autoscaled
Deployment does not, or is refused.
*/}}
{{- define "rowlock.wantsBudget" -}}
{{- $autoscaling := .values.autoscaling | default dict -}}
{{- $most := $autoscaling.enabled | default false | ternary $autoscaling.max .replicas | int64 -}}
{{- and .values.podDisruptionBudget.enabled (gt $most 1) | ternary "true" "" -}}
{{- end -}}
