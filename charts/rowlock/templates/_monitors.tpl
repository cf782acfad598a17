{{/* Task events cost throughput, so workers send them only when somebody listens. */}}
{{- define "rowlock.taskEvents" -}}
{{- or .Values.celeryExporter.enabled .Values.flower.enabled | ternary "true" "" -}}
{{- end -}}

{{- define "rowlock.celeryExporter.context" -}}
component: celery-exporter
name: {{ include "common.fullname" . }}-celery-exporter
{{- end -}}

{{- define "rowlock.celeryExporter.container" -}}
name: celery-exporter
{{- with .Values.celeryExporter.extraArgs }}
args:
  {{- toYaml . | nindent 2 }}
{{- end }}
ports:
  - name: metrics
    containerPort: 9808
# Its /health asks the broker, whose absence is no reason to start again.
startupProbe:
  tcpSocket:
    port: metrics
  periodSeconds: 2
  failureThreshold: 60
readinessProbe:
  httpGet:
    path: /health
    port: metrics
  periodSeconds: 15
  timeoutSeconds: 10
livenessProbe:
  tcpSocket:
    port: metrics
  periodSeconds: 20
  failureThreshold: 3
{{- end -}}

{{/* Generic host names: the names of pods would make new series with every pod. */}}
{{- define "rowlock.celeryExporter.env" -}}
CE_BROKER_URL: $(BROKER_URL)
CE_RETRY_INTERVAL: 5
CE_GENERIC_HOSTNAME_TASK_SENT_METRIC: "true"
CE_QUEUES: {{ include "rowlock.queues" . | fromJson | keys | sortAlpha | join "," }}
{{- end -}}

{{- define "rowlock.flower.context" -}}
component: flower
name: {{ include "common.fullname" . }}-flower
{{- end -}}

{{- define "rowlock.flower.container" -}}
name: flower
command:
  {{- concat (list "celery" "flower") .Values.flower.extraArgs | toYaml | nindent 2 }}
ports:
  - name: http
    containerPort: 5555
{{ include "rowlock.flower.probe" (dict "kind" "startupProbe" "period" 2 "failures" 60) }}
{{ include "rowlock.flower.probe" (dict "kind" "readinessProbe" "period" 10 "failures" 3) }}
{{ include "rowlock.flower.probe" (dict "kind" "livenessProbe" "period" 20 "failures" 6) }}
{{- end -}}

{{/* A page that needs no login and says nothing. */}}
{{- define "rowlock.flower.probe" -}}
{{ .kind }}:
  httpGet:
    path: /healthcheck
    port: http
  periodSeconds: {{ .period }}
  timeoutSeconds: 5
  failureThreshold: {{ .failures }}
{{- end -}}

{{/* The kubelet expands a variable in those that come after it, and they come in the order of their names. */}}
{{- define "rowlock.flower.env" -}}
CELERY_BROKER_URL: $(BROKER_URL)
BASIC_AUTH_PASSWORD:
  secretKeyRef:
    name: {{ .Values.flower.auth.existingSecret | default (include "common.generatedSecret" .) }}
    key: {{ .Values.flower.auth.passwordKey }}
FLOWER_BASIC_AUTH: {{ .Values.flower.auth.username }}:$(BASIC_AUTH_PASSWORD)
FLOWER_READ_ONLY: {{ .Values.flower.readOnly | quote }}
{{- end -}}
