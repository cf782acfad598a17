{{/* What the objects of a pool have in common: (dict "root" $ "pool" "heavy"). */}}
{{- define "rowlock.worker.context" -}}
component: worker
pool: {{ .pool }}
name: {{ include "common.fullname" .root }}-worker-{{ .pool }}
{{- end -}}

{{/* The account, role and binding that the pools with a deletion cost share. */}}
{{- define "rowlock.worker.account" -}}
component: worker
name: {{ include "common.fullname" . }}-worker
{{- end -}}

{{- define "rowlock.worker.container" -}}
name: worker
command:
  {{- include "rowlock.workerCommand" . | nindent 2 }}
{{- include "rowlock.backgroundHealth" (dict "root" .root "boot" 600) }}
{{- end -}}

{{/*
Does a worker wait for the migrations in its own process? That is one start of Django instead of two, which is most of what
a new pod costs. A command of the user's may not know how.
*/}}
{{- define "rowlock.worker.waitsItself" -}}
{{- and .root.Values.migrations.enabled .root.Values.app.rowlock (not .pool.command) | ternary "true" "" -}}
{{- end -}}

{{- define "rowlock.worker.wait" -}}
{{- if not (include "rowlock.worker.waitsItself" .) -}}
{{- include "rowlock.waitForMigrations" .root -}}
{{- end -}}
{{- end -}}

{{/* The variables of a pool, with its own `env`: (dict "root" $ "name" "heavy" "pool" map). */}}
{{- define "rowlock.worker.env" -}}
{{- $env := dict "ROWLOCK_POOL" .name -}}
{{- if include "rowlock.worker.waitsItself" . -}}
  {{- $_ := set $env "ROWLOCK_WAIT_FOR_MIGRATIONS" "true" -}}
{{- end -}}
{{- if .root.Values.app.rowlock -}}
  {{- $_ := set $env "ROWLOCK_GRACE_SECONDS" (include "rowlock.workerGrace" .pool) -}}
  {{- $_ := set $env "ROWLOCK_LOOP_CEILING" .pool.health.loopCeiling -}}
  {{- $_ := set $env "ROWLOCK_RECONNECT_CEILING" .pool.health.reconnectCeiling -}}
  {{- if .pool.podDeletionCost -}}
    {{- $_ := set $env "ROWLOCK_DELETION_COST" "true" -}}
    {{- $env = merge $env (include "rowlock.podEnv" . | fromYaml) -}}
  {{- end -}}
{{- end -}}
{{- merge $env (.pool.env | default dict) | toYaml -}}
{{- end -}}

{{/* Do any workers tell the cluster what deleting them would cost? */}}
{{- define "rowlock.deletionCosts" -}}
{{- if .Values.app.rowlock -}}
  {{- range include "rowlock.pools" . | fromYaml -}}
    {{- if .podDeletionCost -}}true{{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* Port and probes of a process that serves nothing else; nothing at all without the rowlock app. */}}
{{- define "rowlock.backgroundHealth" -}}
{{- if .root.Values.app.rowlock }}
ports:
  - name: health
    containerPort: 9540
{{ include "rowlock.healthProbes" . }}
{{- end }}
{{- end -}}
