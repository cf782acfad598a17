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
The EnvVars of a pod: (dict "root" $ "env" (dict "ROWLOCK_POOL" "heavy")). A name that a user gives in `extraEnv`
replaces ours: the API server takes each name once.
*/}}
{{- define "rowlock.env" -}}
{{- $all := include "rowlock.secretEnv" .root | fromYamlArray -}}
{{- range $name, $value := .env -}}
  {{- $all = append $all (dict "name" $name "value" (include "common.text" $value)) -}}
{{- end -}}
{{- $taken := dict -}}
{{- range .root.Values.extraEnv -}}{{- $_ := set $taken .name true -}}{{- end -}}
{{- $kept := list -}}
{{- range $all -}}
  {{- if not (hasKey $taken .name) -}}{{- $kept = append $kept . -}}{{- end -}}
{{- end -}}
{{- toYaml (concat $kept .root.Values.extraEnv) -}}
{{- end -}}

{{/* Passwords stay references; the kubelet puts them into the URLs. */}}
{{- define "rowlock.secretEnv" -}}
- name: SECRET_KEY
  valueFrom:
    secretKeyRef:
      name: {{ .Values.secretKey.existingSecret | default (include "common.generatedSecret" .) }}
      key: {{ .Values.secretKey.key }}
{{- range $name, $service := include "rowlock.services" . | fromYaml }}
{{- if $service.external }}
- name: {{ $service.variable }}
  valueFrom:
    secretKeyRef:
      name: {{ $service.secret }}
      key: {{ $service.key }}
{{- else }}
- name: {{ $service.passwordVariable }}
  valueFrom:
    {{- include "common.passwordRef" (index $.Subcharts $name) | nindent 4 }}
- name: {{ $service.variable }}
  value: {{ $service.url | quote }}
{{- end }}
{{- end }}
{{- end -}}
