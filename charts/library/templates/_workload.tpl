{{/* Deployment or Rollout: what it is called, how many pods there are, and of what. */}}
{{- define "library.workload" -}}
{{- $ := .context }}
{{- include "library.kind" $ | nindent 0 }}
metadata:
  name: {{ $.Chart.Name }}
  labels: {{- include "library.labels" $ | nindent 4 }}
spec:
  {{- if not $.Values.autoscaling.enabled }}
  replicas: {{ $.Values.replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  selector:
    matchLabels: {{- include "library.selector" $ | nindent 6 }}
  strategy: {{- include (printf "library.%s" $.Values.strategy.type) . | trim | nindent 4 }}
  template: {{- include "library.podTemplate" . | nindent 4 }}
{{- end }}

{{- define "library.rolling" -}}
{{- if .recreate }}
type: Recreate
{{- else }}
type: RollingUpdate
# A new pod is ready before an old one goes.
rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
{{- end }}
{{- end }}

{{- define "library.podTemplate" -}}
{{- $ := .context }}
{{- $grace := $.Values.settings.SHUTDOWN_GRACE_SECONDS | int }}
{{- $folders := prepend (.folders | default list) "/tmp" }}
metadata:
  {{- include "library.podMetadata" $ | nindent 2 }}
    {{- with .files }}
    checksum/files: {{ toJson . | sha256sum }}
    {{- end }}
    {{- if $.Values.metrics.annotated }}
    prometheus.io/scrape: "true"
    prometheus.io/port: {{ $.Values.settings.METRICS_PORT | quote }}
    {{- end }}
spec:
  {{- include "library.podSpec" (list $ $.Chart.Name 10001) | nindent 2 }}
  # Out of the Service, the requests that are under way, what is open, in this order.
  terminationGracePeriodSeconds: {{ add $.Values.shutdown.drainSeconds $grace $.Values.shutdown.closeSeconds }}
  topologySpreadConstraints:
    {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
    - topologyKey: {{ . }}
      maxSkew: 1
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels: {{- include "library.selector" $ | nindent 10 }}
      matchLabelKeys: [{{ include "library.hashLabel" $ }}]
    {{- end }}
  {{- with .initContainers }}
  initContainers: {{- . | trim | nindent 4 }}
  {{- end }}
  containers:
    - name: {{ $.Chart.Name }}
      {{- include "library.container" $ | nindent 6 }}
      envFrom: [{configMapRef: {name: {{ $.Chart.Name }}}}]
      env: {{- include "library.env" $ | trim | nindent 8 }}
      ports:
        - {name: http, containerPort: {{ $.Values.settings.PORT }}}
        - {name: metrics, containerPort: {{ $.Values.settings.METRICS_PORT }}}
      startupProbe:
        httpGet: {path: /livez, port: http}
        periodSeconds: 1
        failureThreshold: 60
      livenessProbe:
        httpGet: {path: /livez, port: http}
        periodSeconds: 10
        timeoutSeconds: 5
      readinessProbe:
        httpGet: {path: /readyz, port: http}
        periodSeconds: 2
        timeoutSeconds: 2
      lifecycle:
        preStop: {sleep: {seconds: {{ $.Values.shutdown.drainSeconds }}}}
      volumeMounts:
        {{- range $folders }}
        - {name: {{ base . }}, mountPath: {{ . }}}
        {{- end }}
        {{- if .files }}
        - {name: files, mountPath: /etc/conference, readOnly: true}
        {{- end }}
        {{- if $.Values.trust.configMap }}
        {{- include "library.trustMount" $ | nindent 8 }}
        {{- end }}
  volumes:
    {{- range $folders }}
    - {name: {{ base . }}, emptyDir: {sizeLimit: 64Mi}}
    {{- end }}
    {{- if .files }}
    - {name: files, configMap: {name: {{ $.Chart.Name }}-files}}
    {{- end }}
    {{- if $.Values.trust.configMap }}
    {{- include "library.trustVolume" $ | nindent 4 }}
    {{- end }}
{{- end }}

{{- define "library.filesConfigMap" -}}
{{- $ := .context }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ $.Chart.Name }}-files
  labels: {{- include "library.labels" $ | nindent 4 }}
data: {{ toJson .files }}
{{- end }}
