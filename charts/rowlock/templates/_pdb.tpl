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

{{/* A budget for a single replica would block every drain of its node. */}}
{{- define "rowlock.wantsBudget" -}}
{{- and .podDisruptionBudget.enabled (gt (int64 .replicas) 1) | ternary "true" "" -}}
{{- end -}}
