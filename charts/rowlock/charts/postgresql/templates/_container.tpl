{{- define "postgresql.container" -}}
{{- with .Values.parameters }}
args:
  {{- range $name, $value := . }}
  - -c
  - {{ printf "%s=%s" $name (include "common.text" $value) | quote }}
  {{- end }}
{{- end }}
env:
  - name: POSTGRES_USER
    value: {{ .Values.auth.username | quote }}
  - name: POSTGRES_DB
    value: {{ .Values.auth.database | quote }}
  - name: POSTGRES_PASSWORD
    valueFrom:
      {{- include "common.passwordRef" . | nindent 6 }}
  # Below the mount: a volume's own root may hold lost+found, and its mode is not ours.
  - name: PGDATA
    value: /var/lib/postgresql/data/pgdata
ports:
  - name: postgresql
    containerPort: 5432
# While the image initialises the database it listens on the socket alone, so ask over TCP.
startupProbe:
  exec:
    command: &ready [pg_isready, --quiet, --host=127.0.0.1, {{ printf "--username=%s" .Values.auth.username | quote }}, {{ printf "--dbname=%s" .Values.auth.database | quote }}]
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 300
readinessProbe:
  exec:
    command: *ready
  periodSeconds: 10
  timeoutSeconds: 5
livenessProbe:
  tcpSocket:
    port: postgresql
  periodSeconds: 20
  timeoutSeconds: 5
  failureThreshold: 6
{{- end -}}
