{{/* The environment of the sidecar: values that override the config. */}}
{{- define "outrigger.env" -}}
{{- $kafka := .Values.outrigger.kafka }}
{{- if not (kindIs "invalid" $kafka.enabled) }}
- {name: KAFKA_ENABLED, value: {{ $kafka.enabled | quote }}}
{{- end }}
{{- with $kafka.brokers }}
- {name: KAFKA_BROKERS, value: {{ join "," . | quote }}}
{{- end }}
{{- with $kafka.clientId }}
- {name: KAFKA_CLIENT_ID, value: {{ . | quote }}}
{{- end }}
{{- with $kafka.groupId }}
- {name: KAFKA_GROUP_ID, value: {{ . | quote }}}
{{- end }}
{{- if not (kindIs "invalid" $kafka.required) }}
- {name: REQUIRE_KAFKA, value: {{ $kafka.required | quote }}}
{{- end }}
{{- with .Values.outrigger.env }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Folders, never subPath: only folders are updated in a running pod. */}}
{{- define "outrigger.mounts" -}}
- {name: outrigger-config, mountPath: /etc/outrigger, readOnly: true}
{{- if .Values.outrigger.existingSecrets }}
- {name: outrigger-secrets, mountPath: /etc/outrigger-secrets, readOnly: true}
{{- end }}
{{- with .Values.outrigger.volumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Rules and schemas are one volume: the kubelet swaps it whole, so they change together. */}}
{{- define "outrigger.volumes" -}}
- name: outrigger-config
  projected:
    sources:
      {{- if include "outrigger.ownConfigMap" . }}
      - configMap:
          name: {{ include "outrigger.fullname" . }}
          items:
            {{- if include "outrigger.ownFile" . }}
            - {key: outrigger.yaml, path: outrigger.yaml}
            {{- end }}
            {{- range $path, $_ := .Values.outrigger.schemas }}
            - {key: {{ include "outrigger.schemaKey" $path }}, path: {{ $path | quote }}}
            {{- end }}
      {{- end }}
      {{- range .Values.outrigger.existingConfigMaps }}
      - configMap:
          {{- toYaml . | nindent 10 }}
      {{- end }}
{{- with .Values.outrigger.existingSecrets }}
- name: outrigger-secrets
  projected:
    defaultMode: 0444
    sources:
      {{- range . }}
      - secret:
          {{- toYaml . | nindent 10 }}
      {{- end }}
{{- end }}
{{- end }}

{{- define "outrigger.spoolClaim" -}}
{{- if .Values.outrigger.spool.enabled }}{{ .Values.outrigger.spool.existingClaim }}{{ end }}
{{- end }}

{{/* What was answered 202 lasts as long as this volume. */}}
{{- define "outrigger.spoolVolume" -}}
{{- if include "outrigger.spoolClaim" . -}}
- name: outrigger-spool
  persistentVolumeClaim: {claimName: {{ include "outrigger.spoolClaim" . }}}
{{- else if .Values.outrigger.spool.enabled -}}
{{- $spool := (include "outrigger.config" . | fromJson).spool | default dict }}
- name: outrigger-spool
  emptyDir: {sizeLimit: {{ .Values.outrigger.spool.sizeLimit | default ($spool.maxBytes | default "1GiB" | include "outrigger.bytes" | mul 2) | quote }}}
{{- end }}
{{- end }}

{{/* The native sidecar. It has no preStop hook: that would run when deletion begins, before the app is told, and would
close the door on what the app publishes last. SIGTERM, which comes after the app has ended, is what it drains on. */}}
{{- define "outrigger.sidecar" -}}
name: outrigger
image: {{ include "outrigger.image" (dict "image" .Values.outrigger.image "tag" .Chart.AppVersion) | quote }}
imagePullPolicy: {{ .Values.outrigger.image.pullPolicy }}
restartPolicy: Always
args: [run, --config, /etc/outrigger/outrigger.yaml]
{{- with include "outrigger.env" . }}
env:
  {{- . | nindent 2 }}
{{- end }}
{{- with .Values.outrigger.envFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
ports:
  - {name: ops, containerPort: {{ .Values.outrigger.opsPort }}, protocol: TCP}
{{- range $probe := list "startupProbe" "readinessProbe" "livenessProbe" }}
{{- with get $.Values.outrigger $probe }}
{{ $probe }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
resources:
  {{- toYaml .Values.outrigger.resources | nindent 2 }}
securityContext:
  {{- toYaml .Values.outrigger.securityContext | nindent 2 }}
terminationMessagePolicy: FallbackToLogsOnError
volumeMounts:
  {{- include "outrigger.mounts" . | nindent 2 }}
  {{- if .Values.outrigger.spool.enabled }}
  - {name: outrigger-spool, mountPath: /var/lib/outrigger}
  {{- end }}
{{- end }}

{{- define "outrigger.app" -}}
name: {{ .Values.app.name }}
image: {{ include "outrigger.image" (dict "image" .Values.app.image "tag" "") | quote }}
imagePullPolicy: {{ .Values.app.image.pullPolicy }}
{{- with .Values.app.port }}
ports:
  - {name: http, containerPort: {{ . }}, protocol: TCP}
{{- end }}
{{- range $field := list "command" "args" "env" "envFrom" "startupProbe" "livenessProbe" "readinessProbe" "lifecycle" "resources" "securityContext" "volumeMounts" }}
{{- with get $.Values.app $field }}
{{ $field }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
terminationMessagePolicy: FallbackToLogsOnError
{{- end }}

{{/* Scheduling and identity of the pods of the app and of the test. */}}
{{- define "outrigger.placement" -}}
serviceAccountName: {{ include "outrigger.serviceAccountName" . }}
automountServiceAccountToken: {{ .Values.serviceAccount.automount }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- range $field := list "imagePullSecrets" "nodeSelector" "tolerations" "affinity" "priorityClassName" "runtimeClassName" }}
{{- with get $.Values $field }}
{{ $field }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}
