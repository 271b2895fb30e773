{{/* Names and labels. Every template that asks for a component is given (dict "root" $ "component" "api"). */}}

{{- define "factorial.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* 43 characters at most: the longest suffix, "-rabbitmq-default-user" by the operator, still fits a label's 63. */}}
{{- define "factorial.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "factorial.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "factorial.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "factorial.componentName" -}}
{{- printf "%s-%s" (include "factorial.fullname" .root) .component -}}
{{- end -}}

{{- define "factorial.selectorLabels" -}}
app.kubernetes.io/name: {{ include "factorial.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "factorial.labels" -}}
{{ include "factorial.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: factorial
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "factorial.serviceAccountName" -}}
{{- $account := (index .root.Values .component).serviceAccount -}}
{{- if $account.create -}}
{{- default (include "factorial.componentName" .) $account.name -}}
{{- else -}}
{{- default "default" $account.name -}}
{{- end -}}
{{- end -}}

{{- define "factorial.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "factorial.secretName" -}}
{{- default (include "factorial.fullname" .) .Values.existingSecret -}}
{{- end -}}

{{- define "factorial.rabbitmqName" -}}
{{- printf "%s-rabbitmq" (include "factorial.fullname" .) -}}
{{- end -}}
