{{- define "redis.container" -}}
# The password comes as configuration on standard input: arguments can be read by every process.
command:
  - sh
  - -c
  - |
    exec redis-server - <<CONFIG
    requirepass $REDIS_PASSWORD
    dir /data
    appendonly yes
    maxmemory {{ .Values.maxmemory }}
    maxmemory-policy noeviction
    CONFIG
env:
  - name: REDIS_PASSWORD
    valueFrom:
      {{- include "common.passwordRef" . | nindent 6 }}
  - name: REDISCLI_AUTH
    value: $(REDIS_PASSWORD)
ports:
  - name: redis
    containerPort: 6379
startupProbe:
  exec:
    command: &ready [sh, -c, redis-cli ping | grep -q PONG]
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 300
# An open port is not enough: while Redis loads its file it refuses every command.
readinessProbe:
  exec:
    command: *ready
  periodSeconds: 10
  timeoutSeconds: 5
livenessProbe:
  tcpSocket:
    port: redis
  periodSeconds: 20
  timeoutSeconds: 5
  failureThreshold: 6
{{- end -}}
