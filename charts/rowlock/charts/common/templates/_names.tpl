{{- define "common.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "common.fullname" -}}
{{- $name := include "common.name" . -}}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- .Values.fullnameOverride | default $full | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* The name of a service: the release's and the subchart's, never the release's alone. */}}
{{- define "common.serviceName" -}}
{{- printf "%s-%s" (.Release.Name | trunc 40 | trimSuffix "-") .Chart.Name -}}
{{- end -}}

{{/* From the release's name alone, so that every chart of the release finds it. */}}
{{- define "common.generatedSecret" -}}
{{- $name := contains "rowlock" .Release.Name | ternary .Release.Name (printf "%s-rowlock" .Release.Name) -}}
{{- printf "%s-generated" ($name | trunc 40 | trimSuffix "-") -}}
{{- end -}}

{{- define "common.version" -}}
{{- .Values.image.tag | default .Chart.AppVersion | replace "+" "_" | trunc 63 | trimAll "-_." -}}
{{- end -}}

{{- define "common.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}
