{{/* Probes on the health port; (dict "boot" 300) is how many seconds a start may take. */}}
{{- define "rowlock.healthProbes" -}}
startupProbe:
  httpGet:
    path: /startupz
    port: health
  # A pod that autoscaling has called for should not be ready for seconds before anybody looks.
  periodSeconds: 1
  timeoutSeconds: 3
  failureThreshold: {{ .boot }}
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
  failureThreshold: 3
  # Who is dead has nothing to finish; the pod's own grace period may be hours.
  terminationGracePeriodSeconds: 15
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
