{{/* Combinations that cannot work, refused with the reason. Included once, by the ConfigMap. */}}
{{- define "factorial.refusals" -}}
{{- $values := .Values -}}
{{- $follows := dict
  "HOST" "every pod listens on all its addresses"
  "PORT" "set api.port"
  "DATA_DIR" "pods keep no state of their own"
  "DRAIN_SECONDS" "set api.drainSeconds and worker.drainSeconds"
  "THREADS" "it follows from worker.cpu"
  "COMPUTE_MEMORY_BYTES" "it follows from worker.memory"
  "COMPUTE_SCRATCH_BYTES" "it follows from worker.scratch.size"
  "SCRATCH_DIR" "it is where worker.scratch is mounted"
  "UPLOAD_PARTS_IN_FLIGHT" "it follows from worker.memory"
  "WORKER_HEALTH_PORT" "set worker.healthPort"
-}}
{{- range $name, $reason := $follows -}}
{{- if hasKey $values.settings $name -}}
{{- fail (printf "settings.%s: expected not to be set here, %s" $name $reason) -}}
{{- end -}}
{{- end -}}
{{- range $name := list "DATABASE_URL" "REDIS_URL" "AMQP_URL" "API_KEYS" -}}
{{- if hasKey $values.settings $name -}}
{{- fail (printf "settings.%s: expected under secrets or in existingSecret, because settings go into a ConfigMap that many can read" $name) -}}
{{- end -}}
{{- end -}}
{{- if and $values.existingSecret $values.secrets -}}
{{- fail "existingSecret: expected either existingSecret or secrets, got both; put every key into the one Secret" -}}
{{- end -}}
{{- if not $values.existingSecret -}}
{{- if not $values.secrets.DATABASE_URL -}}
{{- fail "secrets.DATABASE_URL: expected postgres://… or mysql://…, got nothing; pods cannot share the embedded SQLite" -}}
{{- end -}}
{{- if not (or $values.rabbitmq.enabled $values.secrets.AMQP_URL) -}}
{{- fail "secrets.AMQP_URL: expected amqp://… or amqps://…, got nothing; set it, or rabbitmq.enabled for a broker of this release" -}}
{{- end -}}
{{- end -}}
{{- if and $values.rabbitmq.enabled $values.secrets.AMQP_URL -}}
{{- fail "rabbitmq.enabled: expected either a broker of this release or secrets.AMQP_URL, got both" -}}
{{- end -}}
{{- if and $values.redis.host $values.secrets.REDIS_URL -}}
{{- fail "redis.host: expected either redis.host or secrets.REDIS_URL, got both" -}}
{{- end -}}
{{- if and $values.redis.passwordSecret.name (not $values.redis.passwordSecret.key) -}}
{{- fail "redis.passwordSecret.key: expected the key of the password in the Secret, got nothing" -}}
{{- end -}}
{{- if not $values.settings.S3_BUCKET -}}
{{- fail "settings.S3_BUCKET: expected the bucket of the results, got nothing; pods share no disk" -}}
{{- end -}}
{{- range $component := list "api" "worker" -}}
{{- $scaling := (index $values $component).autoscaling -}}
{{- if and $scaling.enabled (gt (int $scaling.minReplicas) (int $scaling.maxReplicas)) -}}
{{- fail (printf "%s.autoscaling: expected minReplicas of at most maxReplicas (%d), got %d" $component (int $scaling.maxReplicas) (int $scaling.minReplicas)) -}}
{{- end -}}
{{- end -}}
{{- $lease := float64 (default 30 $values.settings.LEASE_SECONDS) -}}
{{- $heartbeat := float64 (default 1 $values.settings.HEARTBEAT_SECONDS) -}}
{{- if gt (mulf 2 $heartbeat) $lease -}}
{{- fail (printf "settings.HEARTBEAT_SECONDS: expected at most half of LEASE_SECONDS (%v), got %v; workers would lose their leases while at work" $lease $heartbeat) -}}
{{- end -}}
{{- if and $values.api.autoscaling.enabled (not $values.api.cpu) -}}
{{- fail "api.autoscaling: expected api.cpu, because utilisation is measured against the request" -}}
{{- end -}}
{{- end -}}
