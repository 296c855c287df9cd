{{/* Puts the shared values and `global` below the chart's own. Call it before anything else. */}}
{{- define "library.values" -}}
{{- if hasKey .Values "library" }}
{{- $shared := deepCopy (omit .Values.library "global") }}
{{- $global := deepCopy (.Values.global | default dict) }}
{{- $own := deepCopy (omit .Values "library" "global") }}
{{- $_ := set . "Values" (mustMergeOverwrite $shared $global $own) }}
{{- end }}
{{- end }}

{{- define "library.labels" -}}
{{ include "library.podLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Without the chart's version: another chart alone makes no new pods. */}}
{{- define "library.podLabels" -}}
{{ include "library.selector" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ include "library.version" . | quote }}
app.kubernetes.io/part-of: conference
{{- end }}

{{/* One platform has a namespace to itself, so that each part can be called by its plain name. */}}
{{- define "library.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
{{- end }}

{{/* By what the pods of a version are told from those of another: a digest alone is of no version that the chart knows. */}}
{{- define "library.version" -}}
{{- if or .Values.image.tag (not .Values.image.digest) -}}
{{ .Values.image.tag | default .Chart.AppVersion }}
{{- else -}}
{{ .Values.image.digest | replace ":" "-" | trunc 19 }}
{{- end }}
{{- end }}

{{- define "library.image" -}}
{{- with .Values.image -}}
{{ .registry }}/{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ include "library.version" $ }}{{ end }}
{{- end }}
{{- end }}
