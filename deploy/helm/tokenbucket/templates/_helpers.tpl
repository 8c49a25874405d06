{{- define "tokenbucket.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels that select a component's pods: (list . "operator") */}}
{{- define "tokenbucket.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ default $root.Chart.Name $root.Values.nameOverride }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* Labels of a component's pods. The version is not among them: it would restart pods for nothing. */}}
{{- define "tokenbucket.podLabels" -}}
{{ include "tokenbucket.selector" . }}
{{- with (index . 0).Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Labels of a component's objects. */}}
{{- define "tokenbucket.labels" -}}
{{ include "tokenbucket.podLabels" . }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/part-of: tokenbucket
{{- end -}}

{{/* The name of a component's service account: (list . "operator") */}}
{{- define "tokenbucket.serviceAccount" -}}
{{- $root := index . 0 -}}
{{- default (printf "%s-%s" (include "tokenbucket.fullname" $root) (index . 1)) (index $root.Values (index . 1)).serviceAccount.name -}}
{{- end -}}

{{/* A component's image: (list . "operator") */}}
{{- define "tokenbucket.image" -}}
{{- $root := index . 0 -}}
{{- $image := (index $root.Values (index . 1)).image -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest | quote -}}
{{- else -}}
{{- printf "%s:%s" $image.repository (default $root.Chart.AppVersion $image.tag) | quote -}}
{{- end -}}
{{- end -}}

{{/* Who a pod is, by the downward API. */}}
{{- define "tokenbucket.podEnv" -}}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: POD_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
{{- end -}}

{{/* A container that needs no right at all. */}}
{{- define "tokenbucket.restricted" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* A pod that runs as nobody in particular; OpenShift picks the user itself. */}}
{{- define "tokenbucket.restrictedPod" -}}
runAsNonRoot: true
{{- if not .Values.openshift.enabled }}
runAsUser: 65532
runAsGroup: 65532
{{- end }}
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{/* What the agent may do, and not more: uid 0, since added capabilities are effective for it alone. */}}
{{- define "tokenbucket.agentSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsUser: 0
runAsGroup: 0
capabilities:
  drop: [ALL]
  add: [BPF, NET_ADMIN, PERFMON]
seccompProfile: {type: RuntimeDefault}
{{- with .Values.agent.seLinuxType | default (ternary "spc_t" "" .Values.openshift.enabled) }}
seLinuxOptions: {type: {{ . }}}
{{- end }}
{{- end -}}

{{- define "tokenbucket.pullSecrets" -}}
{{- with .Values.imagePullSecrets -}}
imagePullSecrets:
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Annotations of a hook's object, which goes once all hooks of its event succeeded: (list EVENTS WEIGHT) */}}
{{- define "tokenbucket.hook" -}}
helm.sh/hook: {{ index . 0 }}
helm.sh/hook-weight: {{ index . 1 | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}
