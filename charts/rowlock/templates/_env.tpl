{{/* Settings that are no secrets, as YAML: the ConfigMap of every pod of the application. */}}
{{- define "rowlock.config" -}}
{{- $config := dict
  "DJANGO_SETTINGS_MODULE" .Values.app.settings
  "ALLOWED_HOSTS" (include "rowlock.allowedHosts" .)
  "CSRF_TRUSTED_ORIGINS" (include "rowlock.trustedOrigins" .)
  "HTTPS" (toString .Values.web.https)
  "HOME" "/tmp"
  "PYTHONUNBUFFERED" "1"
-}}
{{- range $name, $value := .Values.env -}}
  {{- $_ := set $config $name (include "common.text" $value) -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{/* Names under which browsers reach the web server from outside, as a YAML list. */}}
{{- define "rowlock.publicHosts" -}}
{{- $hosts := list -}}
{{- if .Values.web.ingress.enabled -}}{{- $hosts = concat $hosts .Values.web.ingress.hosts -}}{{- end -}}
{{- if .Values.web.httpRoute.enabled -}}{{- $hosts = concat $hosts .Values.web.httpRoute.hostnames -}}{{- end -}}
{{- toYaml (uniq $hosts) -}}
{{- end -}}

{{- define "rowlock.allowedHosts" -}}
{{- $service := include "rowlock.webName" . -}}
{{- $namespace := .Release.Namespace -}}
{{- $hosts := list
  $service
  (printf "%s.%s" $service $namespace)
  (printf "%s.%s.svc" $service $namespace)
  (printf "%s.%s.svc.cluster.local" $service $namespace)
  "localhost"
  "127.0.0.1"
-}}
{{- range include "rowlock.publicHosts" . | fromYamlArray -}}
  {{- /* Django writes a wildcard as a leading dot. */ -}}
  {{- $hosts = append $hosts (trimPrefix "*" .) -}}
{{- end -}}
{{- concat $hosts .Values.web.allowedHosts | uniq | join "," -}}
{{- end -}}

{{- define "rowlock.trustedOrigins" -}}
{{- $origins := list -}}
{{- range include "rowlock.publicHosts" . | fromYamlArray -}}
  {{- $origins = append $origins (printf "https://%s" .) -}}
  {{- if not $.Values.web.https -}}{{- $origins = append $origins (printf "http://%s" .) -}}{{- end -}}
{{- end -}}
{{- join "," $origins -}}
{{- end -}}

{{/*
The EnvVars of a pod: (dict "root" $ "env" (dict "ROWLOCK_POOL" "heavy")); a map in `env` is the source of a value. A name
that a user gives in `extraEnv` replaces ours: the API server takes each name once. A pod that is "bare" has the URLs of its
"services" alone.
*/}}
{{- define "rowlock.env" -}}
{{- $extra := ternary list .root.Values.extraEnv (not (empty .bare)) -}}
{{- $all := list -}}
{{- if not .bare -}}{{- $all = include "rowlock.secretKeyEnv" .root | fromYamlArray -}}{{- end -}}
{{- range $name, $service := include "rowlock.services" .root | fromYaml -}}
  {{- if or (not $.bare) (has $name ($.services | default list)) -}}
    {{- $about := dict "root" $.root "name" $name "service" $service -}}
    {{- $all = concat $all (include "rowlock.serviceEnv" $about | fromYamlArray) -}}
  {{- end -}}
{{- end -}}
{{- range $name, $value := .env -}}
  {{- $given := ternary (dict "valueFrom" $value) (dict "value" (include "common.text" $value)) (kindIs "map" $value) -}}
  {{- $all = append $all (set $given "name" $name) -}}
{{- end -}}
{{- $taken := dict -}}
{{- range $extra -}}{{- $_ := set $taken .name true -}}{{- end -}}
{{- $kept := list -}}
{{- range $all -}}
  {{- if not (hasKey $taken .name) -}}{{- $kept = append $kept . -}}{{- end -}}
{{- end -}}
{{- toYaml (concat $kept $extra) -}}
{{- end -}}

{{/* Who a pod is, for those that talk to the API server. */}}
{{- define "rowlock.podEnv" -}}
ROWLOCK_POD_NAME:
  fieldRef:
    fieldPath: metadata.name
ROWLOCK_POD_NAMESPACE:
  fieldRef:
    fieldPath: metadata.namespace
{{- end -}}

{{- define "rowlock.secretKeyEnv" -}}
- name: SECRET_KEY
  valueFrom:
    secretKeyRef:
      name: {{ .Values.secretKey.existingSecret | default (include "common.generatedSecret" .) }}
      key: {{ .Values.secretKey.key }}
{{- end -}}

{{/*
The URL of a service: (dict "root" $ "name" "redis" "service" map). Passwords stay references; the kubelet puts them into the
URLs.
*/}}
{{- define "rowlock.serviceEnv" -}}
{{- if .service.external }}
- name: {{ .service.variable }}
  valueFrom:
    secretKeyRef:
      name: {{ .service.secret }}
      key: {{ .service.key }}
{{- else }}
- name: {{ .service.passwordVariable }}
  valueFrom:
    {{- include "common.passwordRef" (index .root.Subcharts .name) | nindent 4 }}
- name: {{ .service.variable }}
  value: {{ .service.url | quote }}
{{- end }}
{{- end -}}
