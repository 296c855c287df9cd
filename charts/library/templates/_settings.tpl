{{/* The settings as a map of texts. */}}
{{- define "library.settings" -}}
{{- range $name, $value := .Values.settings }}
{{- $text := ternary (tpl (toString $value) $) (toJson $value) (kindIs "string" $value) }}
{{- if $text }}
{{ $name }}: {{ $text | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "library.configMap" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Chart.Name }}
  labels: {{- include "library.labels" . | nindent 4 }}
data: {{- include "library.settings" . | trim | nindent 2 }}
{{- end }}

{{/* What a container knows beside the ConfigMap: where it runs, and its secrets. What it is its image says. */}}
{{- define "library.env" -}}
{{- $places := dict "POD_ID" "metadata.name" "POD_NAMESPACE" "metadata.namespace" "POD_NODE_NAME" "spec.nodeName" }}
{{- range $name, $path := $places }}
- name: {{ $name }}
  valueFrom: {fieldRef: {fieldPath: {{ $path }}}}
{{- end }}
{{- if .Values.trust.configMap }}
# What Python's ssl takes for its default; PostgreSQL's client is told in its address.
- {name: SSL_CERT_FILE, value: /etc/trust/ca.crt}
# Without it some would believe the image's own authorities as well.
- {name: SSL_CERT_DIR, value: /etc/trust}
- {name: OTEL_EXPORTER_OTLP_CERTIFICATE, value: /etc/trust/ca.crt}
{{- end }}
{{- include "library.secrets" . }}
{{- end }}

{{- define "library.secrets" -}}
{{- range $name, $reference := .Values.secrets }}
- name: {{ $name }}
  valueFrom: {secretKeyRef: {{ $reference | toJson }}}
{{- end }}
{{- end }}

{{/* Refuses, before anything is installed, what would stop the pods from starting. */}}
{{- define "library.checks" -}}
{{- $production := ne (.context.Values.settings.PROFILE | default "production") "development" }}
{{- range $name := concat .needs (ternary .needsInProduction list $production | default list) }}
{{- if not (or (get $.context.Values.settings $name) (get $.context.Values.secrets $name)) }}
{{- fail (printf "%s needs settings.%s: see docs/settings.md." $.context.Chart.Name $name) }}
{{- end }}
{{- end }}
{{- with .context }}
{{- range list "PUBLIC_URL" "OIDC_ISSUER" "OIDC_DISCOVERY_URL" }}
{{- $url := tpl (get $.context.Values.settings . | default "") $.context }}
{{- if and $production $url (not (hasPrefix "https://" $url)) }}
{{- fail (printf "%s: settings.%s is %s, and production needs an https:// address." $.context.Chart.Name . $url) }}
{{- end }}
{{- end }}
{{- include "library.secretsExist" . }}
{{- end }}
{{- end }}

{{/* Only a cluster knows its Secrets; the ServiceAccount says whether one was asked. Without these two nothing is looked up. */}}
{{- define "library.secretsExist" -}}
{{- if or .Values.checkSecrets .Values.generateSecrets }}
{{- if lookup "v1" "ServiceAccount" .Release.Namespace "default" }}
{{- range $setting, $reference := .Values.secrets }}
{{- $isMade := and $.Values.generateSecrets (eq $reference.name $.Chart.Name) }}
{{- if not $isMade }}
{{- $secret := lookup "v1" "Secret" $.Release.Namespace $reference.name }}
{{- if not (hasKey ($secret.data | default dict) $reference.key) }}
{{- fail (printf "%s takes %s from key %q of Secret %q, which namespace %s does not have." $.Chart.Name $setting $reference.key $reference.name $.Release.Namespace) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
