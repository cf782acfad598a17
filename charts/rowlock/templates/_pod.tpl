{{/*
The pod template of every pod of the application:
  root        $
  component   web, worker, beat, migrate, collector, celery-exporter, flower, secrets or test
  pool        the name of a worker pool
  values      the component's values: resources, scheduling, podLabels, podAnnotations, topologySpread
  container   what runs: name, command, ports, probes, lifecycle, volumeMounts
  wait        a container to wait in before
  volumes     beside the ones that every pod has
  env         variables of this component alone
  bare        no settings and no secrets of the application
  services    services that a bare pod knows all the same
  image       an image that is not the application's
  grace       seconds to end in
  restart     the restart policy
  account     a ServiceAccount whose token is mounted
*/}}
{{- define "rowlock.pod" -}}
{{- $root := .root -}}
{{- $labels := merge (include "common.podLabels" . | fromYaml) (.values.podLabels | default dict) -}}
metadata:
  labels:
    {{- toYaml $labels | nindent 4 }}
  {{- with include "rowlock.podAnnotations" . | fromYaml }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ .account | default (include "common.fullname" $root) }}
  automountServiceAccountToken: {{ not (empty .account) }}
  enableServiceLinks: false
  {{- with .restart }}
  restartPolicy: {{ . }}
  {{- end }}
  terminationGracePeriodSeconds: {{ .grace | default 30 }}
  {{- with include "common.pullSecrets" $root }}{{ indent 2 . }}{{ end }}
  {{- with include "common.scheduling" .values }}{{ indent 2 . }}{{ end }}
  {{- if .values.topologySpread }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "common.selectorLabels" . | nindent 10 }}
  {{- end }}
  securityContext:
    {{- include "common.compact" $root.Values.podSecurityContext | nindent 4 }}
  {{- with .wait }}
  initContainers:
    - {{ include "rowlock.container" (set (omit $ "container") "container" .) | nindent 6 | trim }}
  {{- end }}
  containers:
    - {{ include "rowlock.container" . | nindent 6 | trim }}
  volumes:
    - name: tmp
      emptyDir:
        sizeLimit: {{ $root.Values.tmpSize }}
    {{- with .volumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- if not .bare }}
    {{- with $root.Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- end }}
{{- end -}}

{{- define "rowlock.container" -}}
{{- $root := .root -}}
{{- omit .container "volumeMounts" | toYaml }}
{{- $image := .image | default $root.Values.image }}
image: {{ include "common.image" (dict "Values" (dict "image" $image) "Chart" $root.Chart) }}
imagePullPolicy: {{ $image.pullPolicy }}
securityContext:
  {{- include "common.compact" $root.Values.securityContext | nindent 2 }}
{{- if not .bare }}
envFrom:
  - configMapRef:
      name: {{ include "rowlock.configName" $root }}
  {{- with $root.Values.envFrom }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- with include "rowlock.env" . | fromYamlArray }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
resources:
  {{- toYaml .values.resources | nindent 2 }}
volumeMounts:
  - name: tmp
    mountPath: /tmp
  {{- with .container.volumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- if not .bare }}
  {{- with $root.Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- end }}
{{- end -}}

{{/* Checksums replace the pods when what they read at their start changes. */}}
{{- define "rowlock.podAnnotations" -}}
{{- $annotations := .annotations | default dict -}}
{{- if not .bare -}}
  {{- $_ := set $annotations "checksum/config" (include "rowlock.config" .root | sha256sum) -}}
{{- end -}}
{{- if or (not .bare) .services -}}
  {{- $urls := include "rowlock.externalUrls" .root -}}
  {{- if $urls | fromYaml -}}
    {{- $_ := set $annotations "checksum/external" (sha256sum $urls) -}}
  {{- end -}}
{{- end -}}
{{- $annotations = merge $annotations (.values.podAnnotations | default dict) (include "rowlock.scrapeAnnotations" . | fromYaml) -}}
{{- toYaml $annotations -}}
{{- end -}}
