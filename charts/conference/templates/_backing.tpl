{{/* Labels of a part of the umbrella's own, (context, name). */}}
{{- define "conference.labels" -}}
app.kubernetes.io/name: {{ index . 1 }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/part-of: conference
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
{{- end }}

{{/* What a part of the umbrella's own has beside its pod: (context, name, ports by name, callers, the port that they may call). */}}
{{- define "conference.part" -}}
{{- $ := index . 0 }}
{{- $name := index . 1 }}
{{- $labels := include "conference.labels" (list $ $name) }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $name }}
  labels: {{- $labels | nindent 4 }}
automountServiceAccountToken: false
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $name }}
  labels: {{- $labels | nindent 4 }}
spec:
  selector: {app.kubernetes.io/name: {{ $name }}}
  ports:
    {{- range $portName, $port := index . 2 }}
    - {name: {{ $portName }}, port: {{ $port }}, targetPort: {{ $portName }}}
    {{- end }}
{{- if $.Values.networkPolicy.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ $name }}
  labels: {{- $labels | nindent 4 }}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/name: {{ $name }}}}
  policyTypes: [Ingress, Egress]
  ingress:
    - from:
        {{- range index . 3 }}
        - podSelector: {matchLabels: {app.kubernetes.io/name: {{ . }}}}
        {{- end }}
      ports: [{port: {{ index . 4 }}}]
{{- end }}
{{- end }}

{{/* The image that these `image` values name over what all share: (context, image, …). */}}
{{- define "conference.image" -}}
{{- $ := first . }}
{{- $image := deepCopy $.Values.image }}
{{- range rest . }}
{{- $image = mustMergeOverwrite $image (deepCopy .) }}
{{- end }}
{{- include "library.image" (dict "Chart" $.Chart "Values" (dict "image" $image)) }}
{{- end }}
