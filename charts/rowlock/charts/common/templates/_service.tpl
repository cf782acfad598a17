{{/* A Service of a subchart: (dict "root" $ "ports" (dict "amqp" 5672) ["headless" true]). */}}
{{- define "common.service" -}}
{{- $context := dict "root" .root "component" .root.Chart.Name -}}
{{- $name := include "common.serviceName" .root -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "common.metadata" (merge (dict "name" (.headless | ternary (printf "%s-headless" $name) $name)) $context) | nindent 2 }}
spec:
  {{- if .headless }}
  clusterIP: None
  publishNotReadyAddresses: true
  {{- end }}
  selector:
    {{- include "common.selectorLabels" $context | nindent 4 }}
  ports:
    {{- range $port, $number := .ports }}
    - name: {{ $port }}
      port: {{ $number }}
      targetPort: {{ $port }}
    {{- end }}
{{- end -}}

{{- define "common.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "common.metadata" (dict "root" . "component" .Chart.Name "name" (include "common.serviceName" .)) | nindent 2 }}
automountServiceAccountToken: false
{{- end -}}
