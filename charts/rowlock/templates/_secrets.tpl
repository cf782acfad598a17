{{/* The keys of the generated Secret that somebody needs, as a YAML list. */}}
{{- define "rowlock.secrets.keys" -}}
{{- $keys := list -}}
{{- if not .Values.secretKey.existingSecret -}}
  {{- $keys = append $keys .Values.secretKey.key -}}
{{- end -}}
{{- if and .Values.flower.enabled (not .Values.flower.auth.existingSecret) -}}
  {{- $keys = append $keys .Values.flower.auth.passwordKey -}}
{{- end -}}
{{- range $name, $about := include "rowlock.serviceKinds" . | fromYaml -}}
  {{- with index $.Subcharts $name -}}
    {{- if not .Values.auth.existingSecret -}}
      {{- $keys = append $keys .Values.auth.passwordKey -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- toYaml $keys -}}
{{- end -}}

{{- define "rowlock.secrets.name" -}}
{{ include "common.fullname" . }}-secrets
{{- end -}}

{{- define "rowlock.secrets.metadata" -}}
{{- include "common.metadata" (dict "root" . "component" "secrets" "name" (include "rowlock.secrets.name" .)) -}}
{{- end -}}

{{/* Labels of the generated Secret. Helm does not manage it, so it must not look as if. */}}
{{- define "rowlock.secrets.labels" -}}
{{ include "common.selectorLabels" (dict "root" . "component" "secrets") }}
app.kubernetes.io/part-of: rowlock
app.kubernetes.io/managed-by: {{ include "rowlock.secrets.name" . }}
{{- end -}}

{{- define "rowlock.secrets.spec" -}}
{{- $script := .Files.Get "files/make_secrets.py" -}}
{{- $command := concat
  (list "python" "/scripts/make_secrets.py" "--name" (include "common.generatedSecret" .))
  (list "--labels" (include "rowlock.secrets.labels" . | fromYaml | toJson))
  (include "rowlock.secrets.keys" . | fromYamlArray)
-}}
{{- $mounts := list (dict "name" "scripts" "mountPath" "/scripts" "readOnly" true) -}}
backoffLimit: 6
template:
  {{- include "rowlock.pod" (dict
    "root" .
    "component" "secrets"
    "values" (dict "resources" (include "rowlock.secrets.resources" . | fromYaml))
    "container" (dict "name" "secrets" "command" $command "volumeMounts" $mounts)
    "volumes" (list (dict "name" "scripts" "configMap" (dict "name" (include "rowlock.secrets.name" .))))
    "annotations" (dict "checksum/script" (sha256sum $script))
    "account" (include "rowlock.secrets.name" .)
    "bare" true
    "restart" "Never"
  ) | nindent 2 }}
{{- end -}}

{{- define "rowlock.secrets.resources" -}}
requests: {cpu: 50m, memory: 64Mi}
limits: {memory: 128Mi}
{{- end -}}
