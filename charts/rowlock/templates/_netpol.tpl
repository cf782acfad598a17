{{/* The peers that are pods of components of this release: (dict "root" $ "components" list). */}}
{{- define "rowlock.peer" -}}
- podSelector:
    matchLabels:
      app.kubernetes.io/instance: {{ .root.Release.Name }}
      app.kubernetes.io/part-of: rowlock
    matchExpressions:
      - key: app.kubernetes.io/component
        operator: In
        values: {{ toJson .components }}
{{- end -}}

{{/* 5353: clusters whose DNS pods listen there; policies see the pod's port. */}}
{{- define "rowlock.egress.dns" -}}
- ports:
    {{- range list 53 5353 }}
    - {protocol: UDP, port: {{ . }}}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
{{- end -}}

{{/* Policies see the port behind the API server's Service, which the cluster chooses. */}}
{{- define "rowlock.egress.apiServer" -}}
{{- $server := .Values.networkPolicy.apiServer -}}
- ports:
    {{- range $server.ports }}
    - {protocol: TCP, port: {{ int64 . }}}
    {{- end }}
  {{- with $server.to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* (dict "root" $ ["services" list]); without a list to all of them. */}}
{{- define "rowlock.egress.services" -}}
{{- $services := include "rowlock.services" .root | fromYaml -}}
{{- range hasKey . "services" | ternary .services (keys $services | sortAlpha) }}
{{- $service := get $services . }}
- ports:
    - {protocol: TCP, port: {{ int64 $service.port }}}
  {{- if not $service.external }}
  to:
    {{- include "rowlock.peer.service" (dict "root" $.root "name" .) | nindent 4 }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* RabbitMQ's management API. */}}
{{- define "rowlock.egress.management" -}}
- ports:
    - {protocol: TCP, port: {{ empty .Subcharts.rabbitmq | ternary (int64 .Values.externalRabbitmq.managementPort) 15672 }}}
  {{- if .Subcharts.rabbitmq }}
  to:
    {{- include "rowlock.peer.service" (dict "root" . "name" "rabbitmq") | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "rowlock.peer.service" -}}
- podSelector:
    matchLabels:
      {{- include "common.selectorLabels" (dict "root" (index .root.Subcharts .name) "component" .name) | nindent 6 }}
{{- end -}}

{{- define "rowlock.ingress.metrics" -}}
{{- with .Values.networkPolicy.metrics.from }}
- ports:
    - {protocol: TCP, port: 9540}
  from:
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- end -}}

{{/* Prometheus, where a ServiceMonitor sends it to a port that is not 9540: (dict "root" $ "port" 15692). */}}
{{- define "rowlock.ingress.serviceMonitor" -}}
{{- if .root.Values.metrics.serviceMonitor.enabled -}}
{{- with .root.Values.networkPolicy.metrics.from }}
- ports:
    - {protocol: TCP, port: {{ $.port }}}
  from:
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- end -}}
{{- end -}}

{{/*
The policy of a component of the application: (dict "root" $ "component" "web" ["pool" "heavy"] "name" "..." "ingress"
list "egress" list ["services" list]), with DNS, the services and `extraEgress` in every one.
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
    {{- with include "rowlock.egress.services" (pick . "root" "services") | fromYamlArray }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- with concat (.egress | default list) $root.Values.networkPolicy.extraEgress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* The components of the chart that ask the management API. */}}
{{- define "rowlock.ingress.management" -}}
- ports:
    - {protocol: TCP, port: 15672}
  from:
    {{- include "rowlock.peer" (dict "root" . "components" (list "collector" "flower" "web")) | nindent 4 }}
{{- end -}}

{{/* KEDA asks the management API how long the queues are. */}}
{{- define "rowlock.ingress.keda" -}}
{{- if include "rowlock.kedaPools" . | fromYaml -}}
{{- with .Values.networkPolicy.keda.from }}
- ports:
    - {protocol: TCP, port: 15672}
  from:
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- end -}}
{{- end -}}

{{/*
The policy of a service: the application alone may come, with the components of "clients" and those of "ingress", and
nothing leaves. (dict "root" $ "name" "redis" "port" 6379 ["clients" list "ingress" list])
*/}}
{{- define "rowlock.serviceNetworkPolicy" -}}
{{- $subchart := index .root.Subcharts .name -}}
{{- $context := dict "root" $subchart "component" .name "name" (include "common.serviceName" $subchart) -}}
{{- $clients := concat (list "web" "worker" "beat" "migrate" "test") (.clients | default list) -}}
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
        {{- include "rowlock.peer" (dict "root" .root "components" $clients) | nindent 8 }}
    {{- with .ingress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  egress: []
{{- end -}}
