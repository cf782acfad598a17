{{/* What a schema cannot say. Every message ends in what to do. */}}
{{- define "rowlock.validate" -}}
{{- include "rowlock.validate.app" . -}}
{{- include "rowlock.validate.services" . -}}
{{- include "rowlock.validate.management" . -}}
{{- include "rowlock.validate.pools" . -}}
{{- include "rowlock.validate.beat" . -}}
{{- include "rowlock.validate.web" . -}}
{{- include "rowlock.validate.autoscaling" . -}}
{{- include "rowlock.validate.metrics" . -}}
{{- include "rowlock.validate.dashboards" . -}}
{{- end -}}

{{- define "rowlock.validate.app" -}}
{{- if and .Values.app.asgi .Values.app.wsgi -}}
  {{- fail "app.asgi and app.wsgi are both set: set the one that the web server runs to `module:attribute`, and the other to \"\"." -}}
{{- end -}}
{{- if not (or .Values.app.asgi .Values.app.wsgi .Values.web.command) -}}
  {{- fail "Neither app.asgi nor app.wsgi is set: set one to `module:attribute` (or web.command to the whole command)." -}}
{{- end -}}
{{- range list "SECRET_KEY" "DATABASE_URL" "BROKER_URL" "REDIS_URL" -}}
  {{- if hasKey $.Values.env . -}}
    {{- fail (printf "env.%s has no effect: the chart sets it from a Secret. Use secretKey, externalPostgresql, externalRabbitmq or externalRedis, or extraEnv to override it." .) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- define "rowlock.validate.services" -}}
{{- range $name, $about := include "rowlock.serviceKinds" . | fromYaml -}}
  {{- $external := index $.Values $about.external -}}
  {{- $given := or $external.url $external.existingSecret -}}
  {{- $own := index $.Subcharts $name -}}
  {{- if and (not $own) (not $given) -}}
    {{- fail (printf "%s.enabled is false and nothing takes its place: set %s.url, or %s.existingSecret to a Secret with the URL in its key %q, or %s.enabled to true." $name $about.external $about.external $external.existingSecretKey $name) -}}
  {{- end -}}
  {{- if and $own $given -}}
    {{- fail (printf "Both %s and %s are set: set %s.enabled to false to use the external one, or leave out %s." $name $about.external $name $about.external) -}}
  {{- end -}}
  {{- if and $external.url $external.existingSecret -}}
    {{- fail (printf "%s.url and %s.existingSecret are both set: leave one out." $about.external $about.external) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- define "rowlock.validate.management" -}}
{{- $external := .Values.externalRabbitmq -}}
{{- $key := $external.existingSecretManagementKey -}}
{{- if and $key $external.managementUrl -}}
  {{- fail "externalRabbitmq.managementUrl and externalRabbitmq.existingSecretManagementKey are both set: leave one out." -}}
{{- end -}}
{{- if and $key (not $external.existingSecret) -}}
  {{- fail "externalRabbitmq.existingSecretManagementKey is a key of a Secret that is not named: set externalRabbitmq.existingSecret, or use managementUrl." -}}
{{- end -}}
{{- end -}}

{{- define "rowlock.validate.pools" -}}
{{- range $name, $pool := include "rowlock.pools" . | fromYaml -}}
  {{- if not $pool.queues -}}
    {{- fail (printf "The pool %s has no queues: set workers.%s.queues, or workers.%s.enabled to false." $name $name $name) -}}
  {{- end -}}
  {{- $limit := int64 $pool.taskTimeLimit -}}
  {{- if gt (include "rowlock.softTimeLimit" $pool | int64) $limit -}}
    {{- fail (printf "workers.%s.taskSoftTimeLimit (%d s) is above taskTimeLimit (%d s): lower it, or leave it out." $name (int64 $pool.taskSoftTimeLimit) $limit) -}}
  {{- end -}}
  {{- $least := include "rowlock.leastWorkerGrace" $pool | int64 -}}
  {{- if lt (include "rowlock.workerGrace" $pool | int64) $least -}}
    {{- fail (printf "workers.%s.terminationGracePeriodSeconds (%d s) is too short for a task of taskTimeLimit (%d s): set it to %d at least, or leave it out." $name (int64 $pool.terminationGracePeriodSeconds) $limit $least) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- define "rowlock.validate.beat" -}}
{{- $replicas := int64 .Values.beat.replicas -}}
{{- if and .Values.beat.enabled (gt $replicas 1) (not .Values.app.rowlock) -}}
  {{- fail (printf "beat.replicas is %d without the rowlock app, whose lock lets only one of them tick: every schedule would fire %d times. Set beat.replicas to 1, or install the app and set app.rowlock." $replicas $replicas) -}}
{{- end -}}
{{- end -}}

{{- define "rowlock.validate.web" -}}
{{- $web := .Values.web -}}
{{- if and $web.ingress.enabled (not $web.ingress.hosts) -}}
  {{- fail "web.ingress.enabled is true without a host: set web.ingress.hosts to the names that browsers use." -}}
{{- end -}}
{{- if and $web.httpRoute.enabled (not (and $web.httpRoute.hostnames $web.httpRoute.parentRefs)) -}}
  {{- fail "web.httpRoute.enabled is true without host or gateway: set web.httpRoute.hostnames and web.httpRoute.parentRefs." -}}
{{- end -}}
{{- end -}}

{{- define "rowlock.validate.dashboards" -}}
{{- $dashboards := .Values.metrics.dashboards -}}
{{- $operator := eq $dashboards.kind "grafanaDashboard" -}}
{{- if and $dashboards.enabled $operator (not $dashboards.instanceSelector) -}}
  {{- fail "metrics.dashboards.kind is grafanaDashboard and no Grafana is chosen: set metrics.dashboards.instanceSelector, as in `matchLabels: {dashboards: grafana}`." -}}
{{- end -}}
{{- if and $dashboards.enabled $dashboards.instanceSelector (not $operator) -}}
  {{- fail "metrics.dashboards.instanceSelector has no effect on ConfigMaps: set metrics.dashboards.kind to grafanaDashboard, or leave it out." -}}
{{- end -}}
{{- if and $dashboards.enabled (not .Values.metrics.collector.enabled) -}}
  {{- fail "metrics.dashboards.enabled is true without the collector, whose metrics they are of: set metrics.collector.enabled to true, or metrics.dashboards.enabled to false." -}}
{{- end -}}
{{- end -}}
