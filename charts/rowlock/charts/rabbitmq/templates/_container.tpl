{{- define "rabbitmq.container" -}}
# Erlang refuses a cookie that others may read, and kubelets widen the modes of a volume that they hand to a group.
command:
  - sh
  - -c
  - |
    cookie=/var/lib/rabbitmq/.erlang.cookie
    if [ -e "$cookie" ]; then chmod 600 "$cookie"; fi
    exec docker-entrypoint.sh rabbitmq-server
env:
  - name: RABBITMQ_DEFAULT_USER
    value: {{ .Values.auth.username | quote }}
  - name: RABBITMQ_DEFAULT_VHOST
    value: {{ .Values.auth.vhost | quote }}
  - name: RABBITMQ_DEFAULT_PASS
    valueFrom:
      {{- include "common.passwordRef" . | nindent 6 }}
ports:
  - name: amqp
    containerPort: 5672
  - name: management
    containerPort: 15672
  - name: metrics
    containerPort: 15692
# TCP: the broker's own health commands start an Erlang machine each time.
startupProbe:
  tcpSocket:
    port: amqp
  periodSeconds: 2
  failureThreshold: 300
readinessProbe:
  tcpSocket:
    port: amqp
  periodSeconds: 10
  timeoutSeconds: 5
livenessProbe:
  tcpSocket:
    port: amqp
  periodSeconds: 20
  timeoutSeconds: 10
  failureThreshold: 6
volumeMounts:
  - name: config
    mountPath: /etc/rabbitmq/conf.d/90-rowlock.conf
    subPath: rabbitmq.conf
    readOnly: true
{{- end -}}

{{- define "rabbitmq.config" -}}
log.console = true
log.file = false
# For queues without a policy of their own: 6 hours.
consumer_timeout = 21600000
# Milliseconds. What autoscalers count is as old as this, by default five seconds.
collect_statistics_interval = 2000
{{- with (.Values.resources.limits).memory }}
{{- if regexMatch "^[0-9]+[MG]i?$" . }}
# The container's limit; the broker would count with the node's memory.
total_memory_available_override_value = {{ . }}B
{{- end }}
{{- end }}
{{- with .Values.extraConfig }}
{{ . }}
{{- end }}
{{- end -}}
