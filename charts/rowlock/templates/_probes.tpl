{{/* Probes on the health port; (dict "boot" 300) is how many seconds a start may take. */}}
{{- define "rowlock.healthProbes" -}}
startupProbe:
  httpGet:
    path: /startupz
    port: health
  periodSeconds: 3
  timeoutSeconds: 3
  failureThreshold: {{ div .boot 3 }}
readinessProbe:
  httpGet:
    path: /readyz
    port: health
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 3
livenessProbe:
  httpGet:
    path: /livez
    port: health
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- end -}}

{{/* All that can be known of a web server without the rowlock app: it takes connections. */}}
{{- define "rowlock.portProbes" -}}
startupProbe:
  tcpSocket:
    port: http
  periodSeconds: 3
  failureThreshold: 40
readinessProbe:
  tcpSocket:
    port: http
  periodSeconds: 5
livenessProbe:
  tcpSocket:
    port: http
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- end -}}
