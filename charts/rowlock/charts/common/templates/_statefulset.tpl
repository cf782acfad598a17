{{/*
The StatefulSet of a service: (dict "root" $ "container" map "data" "/path" "scratch" (list "/tmp") "volumes" list
"checksum" "..."). The container says what differs: command, env, ports, probes, mounts.
*/}}
{{- define "common.statefulset" -}}
{{- $context := dict "root" .root "component" .root.Chart.Name -}}
{{- $name := include "common.serviceName" .root -}}
{{- $values := .root.Values -}}
{{- $persistence := $values.persistence -}}
{{- $claimed := and $persistence.enabled (not $persistence.existingClaim) -}}
apiVersion: apps/v1
kind: StatefulSet
metadata:
  {{- include "common.metadata" (merge (dict "name" $name) $context) | nindent 2 }}
spec:
  replicas: 1
  serviceName: {{ $name }}-headless
  selector:
    matchLabels:
      {{- include "common.selectorLabels" $context | nindent 6 }}
  template:
    metadata:
      labels:
        {{- merge (include "common.podLabels" $context | fromYaml) $values.podLabels | toYaml | nindent 8 }}
      {{- $annotations := empty .checksum | ternary dict (dict "checksum/config" .checksum) }}
      {{- with merge $annotations $values.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      serviceAccountName: {{ $name }}
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: 60
      {{- with include "common.pullSecrets" .root }}{{ indent 6 . }}{{ end }}
      {{- with include "common.scheduling" $values }}{{ indent 6 . }}{{ end }}
      securityContext:
        {{- include "common.compact" $values.podSecurityContext | nindent 8 }}
      containers:
        - name: {{ .root.Chart.Name }}
          image: {{ include "common.image" .root }}
          imagePullPolicy: {{ $values.image.pullPolicy }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
          resources:
            {{- toYaml $values.resources | nindent 12 }}
          {{- omit .container "volumeMounts" | toYaml | nindent 10 }}
          volumeMounts:
            - name: data
              mountPath: {{ .data }}
            {{- range $i, $path := .scratch }}
            - name: scratch
              mountPath: {{ $path }}
              subPath: {{ base $path }}
            {{- end }}
            {{- with .container.volumeMounts }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
      volumes:
        - name: scratch
          emptyDir:
            sizeLimit: 256Mi
        {{- if not $claimed }}
        - name: data
          {{- if $persistence.enabled }}
          persistentVolumeClaim:
            claimName: {{ $persistence.existingClaim }}
          {{- else }}
          emptyDir: {}
          {{- end }}
        {{- end }}
        {{- with .volumes }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  {{- if $claimed }}
  volumeClaimTemplates:
    - metadata:
        name: data
        # These can never change, so nothing is in them that does.
        labels:
          {{- include "common.selectorLabels" $context | nindent 10 }}
      spec:
        accessModes: [ReadWriteOnce]
        {{- with $persistence.storageClass }}
        storageClassName: {{ . | quote }}
        {{- end }}
        resources:
          requests:
            storage: {{ $persistence.size }}
  {{- end }}
{{- end -}}
