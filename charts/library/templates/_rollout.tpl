{{/* What only a Rollout of Argo Rollouts has; a strategy that is `rolling` renders none of it. */}}

{{- define "library.kind" -}}
{{- if eq .Values.strategy.type "rolling" -}}
apiVersion: apps/v1
kind: Deployment
{{- else -}}
apiVersion: argoproj.io/v1alpha1
kind: Rollout
{{- end }}
{{- end }}

{{/* The label by which pods of one template are told from those of another. */}}
{{- define "library.hashLabel" -}}
{{ ternary "pod-template-hash" "rollouts-pod-template-hash" (eq .Values.strategy.type "rolling") }}
{{- end }}

{{- define "library.canary" -}}
{{- $ := .context }}
canary:
  stableService: {{ $.Chart.Name }}-stable
  canaryService: {{ $.Chart.Name }}-canary
  # As many pods as the weight says, where nothing weighs requests.
  maxSurge: 1
  maxUnavailable: 0
  {{- with include "library.weighedBy" . }}
  trafficRouting:
    {{- if eq . "traefik" }}
    traefik: {weightedTraefikServiceName: {{ $.Chart.Name }}}
    {{- else }}
    plugins: {argoproj-labs/gatewayAPI: {httpRoute: {{ $.Chart.Name }}, namespace: {{ $.Release.Namespace }}}}
    {{- end }}
  {{- end }}
  steps: {{ toJson $.Values.strategy.canary.steps }}
{{- end }}

{{- define "library.blueGreen" -}}
{{- $ := .context }}
blueGreen:
  activeService: {{ $.Chart.Name }}
  previewService: {{ $.Chart.Name }}-preview
  autoPromotionEnabled: {{ $.Values.strategy.blueGreen.autoPromotion }}
  # So long the old pods stay, for whom has connections to them, and for the way back.
  scaleDownDelaySeconds: {{ $.Values.strategy.blueGreen.scaleDownDelaySeconds }}
{{- end }}

{{/* What weighs requests between the old version and the new one: nothing where no route leads. */}}
{{- define "library.weighedBy" -}}
{{- with .context.Values }}
{{- $by := .strategy.canary.weighedBy }}
{{- if and $.public .route.enabled (eq .strategy.type "canary") (ne $by "pods") }}{{ $by }}{{ end }}
{{- end }}
{{- end }}

{{/*
The Services that lead to one version each. Rollouts gives them their selectors: one that stands here
would be taken back by each upgrade, until it looks again.
*/}}
{{- define "library.versionServices" -}}
{{- range get (dict "canary" (list "stable" "canary") "blueGreen" (list "preview")) .Values.strategy.type | default list }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $.Chart.Name }}-{{ . }}
  labels: {{- include "library.labels" $ | nindent 4 }}
spec:
  ports: [{name: http, port: 8080, targetPort: http}]
{{- end }}
{{- end }}

{{/* Where the route leads: weights as they are while no canary is. Rollouts sets them, and these again at the end. */}}
{{- define "library.backends" -}}
{{- $name := .context.Chart.Name }}
{{- $by := include "library.weighedBy" . }}
{{- if eq $by "traefik" }}
- {group: traefik.io, kind: TraefikService, name: {{ $name }}}
{{- else if $by }}
- {name: {{ $name }}-stable, port: 8080, weight: 100}
- {name: {{ $name }}-canary, port: 8080, weight: 0}
{{- else }}
- {name: {{ $name }}, port: 8080}
{{- end }}
{{- end }}

{{- define "library.traefikService" -}}
{{- $name := .Chart.Name -}}
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata:
  name: {{ $name }}
  labels: {{- include "library.labels" . | nindent 4 }}
spec:
  weighted:
    services:
      - {name: {{ $name }}-stable, port: 8080, weight: 100}
      - {name: {{ $name }}-canary, port: 8080, weight: 0}
{{- end }}
