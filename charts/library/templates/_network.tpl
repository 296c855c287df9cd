{{- define "library.clusterService" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ .Chart.Name }}
  labels: {{- include "library.labels" . | nindent 4 }}
spec:
  # Under `blueGreen` it leads to the version that is active, as Rollouts says.
  {{- if ne .Values.strategy.type "blueGreen" }}
  selector: {{- include "library.selector" . | nindent 4 }}
  {{- end }}
  ports:
    - {name: http, port: 8080, targetPort: http}
    - {name: metrics, port: 9090, targetPort: metrics}
{{- end }}

{{- define "library.httpRoute" -}}
{{- $ := .context }}
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: {{ $.Chart.Name }}
  labels: {{- include "library.labels" $ | nindent 4 }}
spec:
  parentRefs: {{ toJson $.Values.route.parentRefs }}
  {{- with $.Values.route.hostnames }}
  hostnames: {{ toJson . }}
  {{- end }}
  rules:
    - matches: [{path: {type: PathPrefix, value: {{ $.Values.route.path }}}}]
      backendRefs: {{- include "library.backends" . | trim | nindent 8 }}
{{- end }}

{{- define "library.ingress" -}}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ .Chart.Name }}
  labels: {{- include "library.labels" . | nindent 4 }}
  {{- with .Values.ingress.annotations }}
  annotations: {{ toJson . }}
  {{- end }}
spec:
  {{- with .Values.ingress.className }}
  ingressClassName: {{ . }}
  {{- end }}
  {{- with .Values.ingress.tlsSecret }}
  tls: [{secretName: {{ . }}, hosts: {{ toJson $.Values.route.hostnames }}}]
  {{- end }}
  rules:
    {{- range .Values.route.hostnames | default (list "") }}
    - {{ with . }}host: {{ . | quote }}
      {{ end }}http:
        paths:
          - path: {{ $.Values.route.path }}
            pathType: Prefix
            backend: {service: {name: {{ $.Chart.Name }}, port: {name: http}}}
    {{- end }}
{{- end }}

{{/* Default deny, then exactly the calls that the values name. */}}
{{- define "library.networkPolicy" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ .Chart.Name }}
  labels: {{- include "library.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels: {{- include "library.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  {{- $scraped := hasKey .Values.settings "METRICS_PORT" }}
  {{- if or .Values.networkPolicy.calledBy $scraped }}
  ingress:
    {{- with .Values.networkPolicy.calledBy }}
    - from:
        {{- range . }}{{ include "library.peers" (list $ .) | trim | nindent 8 }}{{ end }}
      ports: [{port: http}]
    {{- end }}
    {{- if $scraped }}
    - from: {{- include "library.peers" (list . "prometheus") | trim | nindent 8 }}
      ports: [{port: metrics}]
    {{- end }}
  {{- end }}
  egress:
    {{- include "library.dns" . | nindent 4 }}
    {{- $traces := ternary (list "traces") list (hasKey .Values.settings "OTEL_EXPORTER_OTLP_ENDPOINT") }}
    {{- range concat .Values.networkPolicy.calls $traces }}
    - to: {{- include "library.peers" (list $ .) | trim | nindent 8 }}
      ports:
        {{- range (get $.Values.networkPolicy.places . | default dict).ports | default (list "http") }}
        - {port: {{ . }}}
        {{- end }}
    {{- end }}
{{- end }}

{{/* Where (context, name) is: a place of the values, or else a service of the platform. */}}
{{- define "library.peers" -}}
{{- $ := index . 0 }}
{{- $name := index . 1 }}
{{- with get $.Values.networkPolicy.places $name }}
{{- toYaml (required (printf "networkPolicy.places.%s needs peers, or it would be everybody." $name) .peers) }}
{{- else }}
- podSelector: {matchLabels: {app.kubernetes.io/name: {{ $name }}}}
{{- end }}
{{- end }}

{{- define "library.dns" -}}
- to: {{- include "library.peers" (list . "dns") | trim | nindent 4 }}
  ports:
    {{- range .Values.networkPolicy.places.dns.ports }}
    - {port: {{ . }}, protocol: UDP}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
{{- end }}
