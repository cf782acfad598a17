{{/*
The Job's spec. Its hash is in the Job's name: what runs cannot change under a name (the API server refuses that), the
same thing never runs twice, and no release revision is needed to tell.
*/}}
{{- define "rowlock.migrate.spec" -}}
{{- $migrations := .Values.migrations -}}
{{- $command := $migrations.command | default (list "python" .Values.app.manage "migrate" "--noinput") -}}
backoffLimit: 3
activeDeadlineSeconds: {{ int64 $migrations.activeDeadlineSeconds }}
template:
  {{- include "rowlock.pod" (dict
    "root" .
    "component" "migrate"
    "values" $migrations
    "container" (dict "name" "migrate" "command" $command)
    "wait" (include "rowlock.waitForDatabase" . | fromYaml)
    "restart" "Never"
  ) | nindent 2 }}
{{- end -}}
