{{/* What the chart adds to outrigger.config, as JSON. */}}
{{- define "outrigger.defaults" -}}
{{- $defaults := dict "apiVersion" "outrigger/v1" "kind" "Sidecar" }}
{{- if .Values.outrigger.spool.enabled }}
{{- $_ := set $defaults "spool" (dict "path" "/var/lib/outrigger") }}
{{- end }}
{{- toJson $defaults }}
{{- end }}

{{/* The config as JSON of a map, whether it was given as a map or as text. */}}
{{- define "outrigger.config" -}}
{{- $config := dict }}
{{- if include "outrigger.ownFile" . }}
{{- $config = merge (deepCopy .Values.outrigger.config) (include "outrigger.defaults" . | fromJson) }}
{{- end }}
{{- with .Values.outrigger.configText }}
{{- $config = fromYaml . }}
{{- if and $config.Error (eq (len $config) 1) }}
{{- fail (printf "\n\noutrigger.configText is not YAML: %s\n" $config.Error) }}
{{- end }}
{{- end }}
{{- toJson $config }}
{{- end }}

{{- define "outrigger.spoolPath" -}}
{{- get ((include "outrigger.config" . | fromJson).spool | default dict) "path" }}
{{- end }}

{{/* Whether the chart writes outrigger.yaml: with ConfigMaps of the user, only if there is something to write. */}}
{{- define "outrigger.ownFile" -}}
{{- with .Values.outrigger }}
{{- if or .config .configText (not .existingConfigMaps) }}true{{ end }}
{{- end }}
{{- end }}

{{- define "outrigger.ownConfigMap" -}}
{{- if or (include "outrigger.ownFile" .) .Values.outrigger.schemas }}true{{ end }}
{{- end }}

{{/* A key of a ConfigMap can't have the slashes of a schema's path. */}}
{{- define "outrigger.schemaKey" -}}
{{- . | replace "/" "__" }}
{{- end }}

{{/* 16777216 or "16MiB" as bytes. */}}
{{- define "outrigger.bytes" -}}
{{- if kindIs "string" . }}
{{- $unit := get (dict "KB" 1000 "MB" 1000000 "GB" 1000000000 "KiB" 1024 "MiB" 1048576 "GiB" 1073741824) (regexFind "[KMG]i?B" .) }}
{{- mul (regexFind "^[0-9]+" .) ($unit | default 1) }}
{{- else }}
{{- int64 . }}
{{- end }}
{{- end }}

{{/* "25s", "1m30s" or "250ms" as whole seconds, rounded up. */}}
{{- define "outrigger.seconds" -}}
{{- $ms := 0 }}
{{- range regexFindAll "[0-9]+(ms|h|m|s)" . -1 }}
{{- $unit := get (dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000) (regexFind "[a-z]+" .) }}
{{- $ms = add $ms (mul (regexFind "[0-9]+" . | int) $unit) }}
{{- end }}
{{- div (add $ms 999) 1000 }}
{{- end }}

{{/* What a running sidecar does not read again. */}}
{{- define "outrigger.checksum" -}}
{{- $config := include "outrigger.config" . | fromJson }}
{{- if eq .Values.outrigger.rollOn "anyChange" }}
{{- list $config .Values.outrigger.schemas | toJson | sha256sum }}
{{- else }}
{{- list (pick $config "ops") (pick ($config.kafka | default dict) "enabled") (pick ($config.http | default dict) "listen" "unixSocket") (include "outrigger.spoolPath" .) | toJson | sha256sum }}
{{- end }}
{{- end }}

{{/* Errors that involve several values; those of a single value are in values.schema.json. */}}
{{- define "outrigger.validate" -}}
{{- $config := include "outrigger.config" . | fromJson }}
{{- if and .Values.outrigger.config .Values.outrigger.configText }}
{{- fail "\n\noutrigger.config and outrigger.configText are both set. Remove one of them\n" }}
{{- end }}
{{- if not .Values.app.image.repository }}
{{- fail "\n\napp.image.repository is empty: name the image of the app\n  --set app.image.repository=REPOSITORY --set app.image.tag=TAG\n" }}
{{- end }}
{{- if not (or .Values.app.image.tag .Values.app.image.digest) }}
{{- fail "\n\napp.image has no tag and no digest: latest may change at any time. Set app.image.tag\n" }}
{{- end }}
{{- $budget := dig "shutdown" "budget" "25s" $config | toString }}
{{- $least := add 5 (include "outrigger.seconds" $budget | int) | int }}
{{- if lt (int .Values.terminationGracePeriodSeconds) $least }}
{{- fail (printf "\n\nterminationGracePeriodSeconds is %d, but shutdown.budget is %s: the app needs time to end first, so it must be at least %d. Raise it, or lower shutdown.budget in the config\n" (int .Values.terminationGracePeriodSeconds) $budget $least) }}
{{- end }}
{{- $ops := dig "ops" "listen" "" $config }}
{{- if and $ops (not (hasSuffix (printf ":%d" (int .Values.outrigger.opsPort)) $ops)) }}
{{- fail (printf "\n\nops.listen in the config is %s, but outrigger.opsPort is %d: the probes would use the wrong port. Set both to the same port\n" $ops (int .Values.outrigger.opsPort)) }}
{{- end }}
{{- if and $ops (or (hasPrefix "127." $ops) (hasPrefix "localhost" $ops) (hasPrefix "[::1]" $ops)) }}
{{- fail (printf "\n\nops.listen in the config is %s: the probes of the kubelet and Prometheus come from outside the pod. Use 0.0.0.0\n" $ops) }}
{{- end }}
{{- $path := include "outrigger.spoolPath" . }}
{{- if and .Values.outrigger.spool.enabled $path (not (hasPrefix "/var/lib/outrigger/" (printf "%s/" $path))) }}
{{- fail (printf "\n\nspool.path in the config is %s, but the volume of outrigger.spool is at /var/lib/outrigger. Remove spool.path, or set outrigger.spool.enabled to false and mount a volume of yours\n" $path) }}
{{- end }}
{{- if include "outrigger.spoolClaim" . }}
{{- if gt (int .Values.replicaCount) 1 }}
{{- fail (printf "\n\noutrigger.spool.existingClaim is set, but replicaCount is %d: two sidecars can't share a spool. Set replicaCount to 1, or remove the claim: then each pod has a spool of its own\n" (int .Values.replicaCount)) }}
{{- end }}
{{- if and .Values.strategy (ne (dig "type" "" .Values.strategy) "Recreate") }}
{{- fail "\n\noutrigger.spool.existingClaim is set, but strategy.type is not Recreate: the new pod could not open the spool while the old one has it. Remove strategy\n" }}
{{- end }}
{{- end }}
{{- if and (not (kindIs "invalid" .Values.podDisruptionBudget.minAvailable)) (not (kindIs "invalid" .Values.podDisruptionBudget.maxUnavailable)) }}
{{- fail "\n\npodDisruptionBudget has minAvailable and maxUnavailable: Kubernetes accepts only one. Set the other to null\n" }}
{{- end }}
{{- end }}
