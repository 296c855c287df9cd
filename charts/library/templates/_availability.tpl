{{- define "library.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .Chart.Name }}
  labels: {{- include "library.labels" . | nindent 4 }}
automountServiceAccountToken: false
{{- end }}

{{- define "library.podDisruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .Chart.Name }}
  labels: {{- include "library.labels" . | nindent 4 }}
spec:
  maxUnavailable: {{ .Values.podDisruptionBudget.maxUnavailable }}
  # A pod that does not serve anyway holds up no drain.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "library.selector" . | nindent 6 }}
{{- end }}

{{- define "library.horizontalPodAutoscaler" -}}
{{- with .Values.autoscaling }}
{{- if gt (int .minReplicas) (int .maxReplicas) }}
{{- fail (printf "%s: autoscaling.minReplicas is %v, and maxReplicas %v." $.Chart.Name .minReplicas .maxReplicas) }}
{{- end }}
{{- end -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ .Chart.Name }}
  labels: {{- include "library.labels" . | nindent 4 }}
spec:
  scaleTargetRef:
    {{- include "library.kind" . | nindent 4 }}
    name: {{ .Chart.Name }}
  minReplicas: {{ .Values.autoscaling.minReplicas }}
  maxReplicas: {{ .Values.autoscaling.maxReplicas }}
  metrics:
    - type: Resource
      resource: {name: cpu, target: {type: AverageValue, averageValue: {{ .Values.autoscaling.cpu }}}}
{{- end }}

{{/*
A ServiceMonitor of a Deployment, and a PodMonitor of a Rollout, some of whose pods are in several of
its Services or in none that is called.
*/}}
{{- define "library.monitor" -}}
{{- $isRollout := ne .Values.strategy.type "rolling" -}}
apiVersion: monitoring.coreos.com/v1
kind: {{ ternary "PodMonitor" "ServiceMonitor" $isRollout }}
metadata:
  name: {{ .Chart.Name }}
  labels:
    {{- include "library.labels" . | nindent 4 }}
    {{- with .Values.metrics.serviceMonitor.labels }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  # Its value becomes `job`, by which the rules tell services.
  jobLabel: app.kubernetes.io/name
  selector:
    matchLabels: {{- include "library.selector" . | nindent 6 }}
  # By which versions are told apart; of the hashes a pod has one.
  podTargetLabels: [app.kubernetes.io/version, pod-template-hash, rollouts-pod-template-hash]
  {{ ternary "podMetricsEndpoints" "endpoints" $isRollout }}: [{port: metrics, interval: {{ .Values.metrics.serviceMonitor.interval }}}]
{{- end }}
