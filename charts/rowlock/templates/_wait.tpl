{{/*
A container that waits until manage.py succeeds: (dict "root" $ "name" "..." "option" "--check" "for" "..."). A mistake in
settings or code fails just as a database that is not there yet, so the log shows the last line of the reason.
*/}}
{{- define "rowlock.waitFor" -}}
name: {{ .name }}
command:
  - sh
  - -c
  - |
    # A shell that is process 1 ignores TERM unless told, and the pod would sit out its whole grace period.
    trap 'exit 1' TERM
    until reason=$(python "$0" migrate {{ .option }} 2>&1); do
      echo "waiting for {{ .for }}: $(printf '%s' "$reason" | tail -n 1)"
      sleep 3
    done
  - {{ .root.Values.app.manage }}
{{- end -}}

{{- define "rowlock.waitForMigrations" -}}
{{- if .Values.migrations.enabled -}}
{{- include "rowlock.waitFor" (dict "root" . "name" "wait-for-migrations" "option" "--check" "for" "the migrations") -}}
{{- end -}}
{{- end -}}

{{- define "rowlock.waitForDatabase" -}}
{{- include "rowlock.waitFor" (dict "root" . "name" "wait-for-database" "option" "--plan" "for" "the database") -}}
{{- end -}}
