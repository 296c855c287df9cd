{{/*
All objects of a service that answers HTTP. Takes
  context            the chart's context
  needs              the settings without which it can't start
  needsInProduction  those that it has to have there as well
  folders            where it writes, beside /tmp
  files              the texts of files under /etc/conference, by name
  initContainers     what runs before it, as YAML
  recreate           whether a pod ends before the next one starts, as two may not run beside each other
  public             whether people call it, by a route or an Ingress
*/}}
{{- define "library.service" -}}
{{- $ := .context }}
{{- if .recreate }}
{{- $_ := set $.Values.strategy "type" "rolling" }}
{{- end }}
{{- include "library.checks" . }}
{{ include "library.serviceAccount" $ }}
---
{{ include "library.configMap" $ }}
---
{{ include "library.workload" . }}
---
{{ include "library.clusterService" $ }}
{{- include "library.versionServices" $ }}
{{- if .files }}
---
{{ include "library.filesConfigMap" . }}
{{- end }}
{{- if $.Values.podDisruptionBudget.enabled }}
---
{{ include "library.podDisruptionBudget" $ }}
{{- end }}
{{- if $.Values.autoscaling.enabled }}
---
{{ include "library.horizontalPodAutoscaler" $ }}
{{- end }}
{{- if $.Values.networkPolicy.enabled }}
---
{{ include "library.networkPolicy" $ }}
{{- end }}
{{- if and .public $.Values.route.enabled }}
---
{{ include "library.httpRoute" . }}
{{- end }}
{{- if eq (include "library.weighedBy" .) "traefik" }}
---
{{ include "library.traefikService" $ }}
{{- end }}
{{- if and .public $.Values.ingress.enabled }}
---
{{ include "library.ingress" $ }}
{{- end }}
{{- if $.Values.metrics.serviceMonitor.enabled }}
---
{{ include "library.monitor" $ }}
{{- end }}
{{- end }}
