{{- define "rowlock.web.container" -}}
{{- $health := include "rowlock.webHealth" . -}}
name: web
command:
  {{- with .Values.web.command }}
  {{- toYaml . | nindent 2 }}
  {{- else }}
  - gunicorn
  - {{ .Values.app.asgi | default .Values.app.wsgi }}
  {{- if .Values.app.asgi }}
  - --worker-class=asgi
  {{- else }}
  - --worker-class=gthread
  - --threads=4
  {{- end }}
  - --workers={{ int64 .Values.web.processes }}
  - --bind=0.0.0.0:8000
  {{- if $health }}
  - --bind=0.0.0.0:9540
  {{- end }}
  - --worker-tmp-dir=/tmp
  - --graceful-timeout=30
  # Longer than ingress controllers keep a connection, or they send requests into one that is just being closed.
  - --keep-alive=75
  - --access-logfile=-
  {{- end }}
ports:
  - name: http
    containerPort: 8000
  {{- if $health }}
  - name: health
    containerPort: 9540
  {{- end }}
# New connections come until every node has heard that the pod is leaving.
lifecycle:
  preStop:
    exec:
      command: [sleep, "5"]
{{ include (empty $health | ternary "rowlock.portProbes" "rowlock.healthProbes") (dict "boot" 120) }}
{{- end -}}
