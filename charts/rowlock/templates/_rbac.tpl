{{/*
What a component needs to talk to the API server, each from (dict "root" $ "component" "beat" "name" "..."): the account
has the annotations of the application's own, for workload identities.
*/}}
{{- define "rowlock.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "common.metadata" (set . "annotations" .root.Values.serviceAccount.annotations) | nindent 2 }}
automountServiceAccountToken: false
{{- end -}}

{{/* With "rules" list. */}}
{{- define "rowlock.role" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  {{- include "common.metadata" . | nindent 2 }}
rules:
  {{- toYaml .rules | nindent 2 }}
{{- end -}}

{{/* Role and account have the name of the binding. */}}
{{- define "rowlock.roleBinding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  {{- include "common.metadata" . | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ .name }}
subjects:
  - kind: ServiceAccount
    name: {{ .name }}
    namespace: {{ .root.Release.Namespace }}
{{- end -}}
