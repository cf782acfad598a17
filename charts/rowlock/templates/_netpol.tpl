{{/* The peers that are pods of the application. */}}
{{- define "rowlock.applicationPeer" -}}
- podSelector:
    matchLabels:
      app.kubernetes.io/instance: {{ .Release.Name }}
      app.kubernetes.io/part-of: rowlock
    matchExpressions:
      - key: app.kubernetes.io/component
        operator: In
        values: [web, worker, beat, migrate, test]
{{- end -}}

{{/* 5353: clusters whose DNS pods listen there; policies see the pod's port. */}}
{{- define "rowlock.egress.dns" -}}
- ports:
    {{- range list 53 5353 }}
    - {protocol: UDP, port: {{ . }}}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
{{- end -}}

{{- define "rowlock.egress.services" -}}
{{- range $name, $service := include "rowlock.services" . | fromYaml }}
- ports:
    - {protocol: TCP, port: {{ int64 $service.port }}}
  {{- if not $service.external }}
  to:
    - podSelector:
        matchLabels:
          {{- include "common.selectorLabels" (dict "root" (index $.Subcharts $name) "component" $name) | nindent 10 }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "rowlock.ingress.metrics" -}}
{{- with .Values.networkPolicy.metrics.from }}
- ports:
    - {protocol: TCP, port: 9540}
  from:
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- end -}}

{{/*
The policy of a component of the application: (dict "root" $ "component" "web" ["pool" "heavy"] "name" "..." "ingress"
list "egress" list), with DNS, the services and `extraEgress` in every one.
*/}}
{{- define "rowlock.networkPolicy" -}}
{{- $root := .root -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "common.metadata" . | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "common.selectorLabels" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  {{- with .ingress }}
  ingress:
    {{- toYaml . | nindent 4 }}
  {{- else }}
  ingress: []
  {{- end }}
  egress:
    {{- include "rowlock.egress.dns" $root | nindent 4 }}
    {{- include "rowlock.egress.services" $root | indent 4 }}
    {{- with concat (.egress | default list) $root.Values.networkPolicy.extraEgress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* The policy of a service: the application alone may come, and nothing leaves. (dict "root" $ "name" "redis" "port" 6379) */}}
{{- define "rowlock.serviceNetworkPolicy" -}}
{{- $subchart := index .root.Subcharts .name -}}
{{- $context := dict "root" $subchart "component" .name "name" (include "common.serviceName" $subchart) -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "common.metadata" $context | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "common.selectorLabels" $context | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    - ports:
        - {protocol: TCP, port: {{ .port }}}
      from:
        {{- include "rowlock.applicationPeer" .root | nindent 8 }}
  egress: []
{{- end -}}
