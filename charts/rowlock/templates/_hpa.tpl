{{/*
A HorizontalPodAutoscaler: the context of its Deployment with "root", and "autoscaling". On CPU, unless other metrics are named.
*/}}
{{- define "rowlock.horizontalPodAutoscaler" -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "common.metadata" (omit . "autoscaling") | nindent 2 }}
spec:
  scaleTargetRef:
    {{- include "rowlock.scaleTarget" .name | nindent 4 }}
  minReplicas: {{ int64 .autoscaling.min }}
  maxReplicas: {{ int64 .autoscaling.max }}
  metrics:
    {{- if or .autoscaling.cpu (not .autoscaling.metrics) }}
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ .autoscaling.cpu | default 70 | int64 }}
    {{- end }}
    {{- with .autoscaling.metrics }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .autoscaling.behavior }}
  behavior:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
