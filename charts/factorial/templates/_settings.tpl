{{/* A value as the text of an environment variable: Helm reads YAML numbers as floats and would print 1e+09. */}}
{{- define "factorial.settingText" -}}
{{- if kindIs "string" . -}}{{- . -}}{{- else if kindIs "float64" . -}}{{- toJson . -}}{{- else -}}{{- toString . -}}{{- end -}}
{{- end -}}

{{/* Settings of API and worker alike, secrets excepted. The API plans with the worker's budget, so that it refuses what no worker can hold. */}}
{{- define "factorial.sharedSettings" -}}
{{- $memory := include "factorial.workerMemory" . | fromYaml -}}
{{- range $name, $value := .Values.settings }}
{{ $name }}: {{ include "factorial.settingText" $value | quote }}
{{- end }}
THREADS: {{ $memory.threads | toJson | quote }}
COMPUTE_MEMORY_BYTES: {{ $memory.computeBytes | toJson | quote }}
COMPUTE_SCRATCH_BYTES: {{ $memory.scratchBytes | toJson | quote }}
UPLOAD_PARTS_IN_FLIGHT: {{ $memory.partsInFlight | toJson | quote }}
{{- end -}}

{{/* Addresses of cache and broker where they are not in the Secret: entries of a container's env, which win over envFrom. */}}
{{- define "factorial.connectionEnv" -}}
{{- if .Values.redis.host }}
{{- if .Values.redis.passwordSecret.name }}
- name: REDIS_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ .Values.redis.passwordSecret.name }}
      key: {{ .Values.redis.passwordSecret.key }}
- name: REDIS_URL
  value: redis://:$(REDIS_PASSWORD)@{{ .Values.redis.host }}:{{ .Values.redis.port }}
{{- else }}
- name: REDIS_URL
  value: redis://{{ .Values.redis.host }}:{{ .Values.redis.port }}
{{- end }}
{{- end }}
{{- if .Values.rabbitmq.enabled }}
- name: AMQP_URL
  valueFrom:
    secretKeyRef:
      name: {{ include "factorial.rabbitmqName" . }}-default-user
      key: connection_string
{{- end }}
{{- end -}}

{{- define "factorial.envFrom" -}}
- configMapRef:
    name: {{ include "factorial.fullname" . }}
{{- if or .Values.existingSecret .Values.secrets }}
- secretRef:
    name: {{ include "factorial.secretName" . }}
{{- end }}
{{- end -}}
