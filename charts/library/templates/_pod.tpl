{{/* Pod Security "restricted", for the pod and for each of its containers. */}}
{{- define "library.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "library.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* What is around a pod's containers: (context, its ServiceAccount, its user's number). */}}
{{- define "library.podSpec" -}}
{{- $ := index . 0 -}}
serviceAccountName: {{ index . 1 }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext: {{- include "library.podSecurity" (index . 2) | nindent 2 }}
{{- with $.Values.image.pullSecrets }}
imagePullSecrets: {{ toJson . }}
{{- end }}
{{- with $.Values.nodeSelector }}
nodeSelector: {{ toJson . }}
{{- end }}
{{- with $.Values.tolerations }}
tolerations: {{ toJson . }}
{{- end }}
{{- end }}

{{/* What every container of a service has. */}}
{{- define "library.container" -}}
image: {{ include "library.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext: {{- include "library.containerSecurity" . | nindent 2 }}
resources: {{ toJson .Values.resources }}
{{- end }}

{{- define "library.trustMount" -}}
- {name: trust, mountPath: /etc/trust, readOnly: true}
{{- end }}

{{- define "library.trustVolume" -}}
{{- with .Values.trust -}}
- {name: trust, configMap: {name: {{ .configMap }}, items: [{key: {{ .key }}, path: ca.crt}]}}
{{- end }}
{{- end }}

{{- define "library.podMetadata" -}}
{{- $own := include "library.podLabels" . | fromYaml }}
{{- /* The rules for Prometheus tell services by this label, which it takes over from the pod. */}}
{{- $_ := set $own "job" .Chart.Name }}
{{- range $name, $value := .Values.podLabels }}
{{- if or (hasKey $own $name) (hasSuffix "pod-template-hash" $name) }}
{{- fail (printf "%s: podLabels can't set %s, by which its pods are found." $.Chart.Name $name) }}
{{- end }}
{{- end }}
labels: {{- toYaml (merge $own .Values.podLabels) | nindent 2 }}
annotations:
  # A changed setting makes new pods.
  checksum/settings: {{ include "library.settings" . | sha256sum }}
  {{- with .Values.podAnnotations }}{{- toYaml . | nindent 2 }}{{ end }}
{{- end }}
