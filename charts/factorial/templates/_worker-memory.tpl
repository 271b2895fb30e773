{{/* Mebibytes of a quantity such as 512Mi, 2Gi or 1Ti (the schema admits no other). */}}
{{- define "factorial.mebibytes" -}}
{{- $count := regexFind "^[0-9]+" . | int64 -}}
{{- if hasSuffix "Ti" . -}}{{- mul $count 1048576 -}}
{{- else if hasSuffix "Gi" . -}}{{- mul $count 1024 -}}
{{- else -}}{{- $count -}}
{{- end -}}
{{- end -}}

{{/* Whole cores of a CPU quantity, rounded up: 250m is 1, 1500m is 2. */}}
{{- define "factorial.cores" -}}
{{- $text := toString . -}}
{{- if hasSuffix "m" $text -}}
{{- max 1 (div (add (trimSuffix "m" $text | int64) 999) 1000) -}}
{{- else -}}
{{- max 1 (ceil (float64 $text) | int64) -}}
{{- end -}}
{{- end -}}

{{/* A setting as an integer, with the service's default: (dict "root" $ "name" "LONG_CONCURRENCY" "default" 1). */}}
{{- define "factorial.integerSetting" -}}
{{- $value := index .root.Values.settings .name -}}
{{- if kindIs "invalid" $value -}}{{- .default -}}{{- else -}}{{- toString (int64 $value) -}}{{- end -}}
{{- end -}}

{{/*
Everything that follows from worker.memory, in MiB, as YAML:

  memory = native + threads·12 + heap (old + 3 semi-spaces) + uploads·8·(partsInFlight + 2) + reserve + compute

native 64 is Node outside V8's heap and 12 a bare worker thread (measured 43 and 11 on Node 24); 8 is the part size of every
object below 78 GiB, and an upload holds two parts more than are in flight. The reserve of 1/32 is for what the kernel counts.
The least to compute in is what the service demands: 64 for each quick calculation at once and for one long one; long ones share the rest
and wait for each other.
*/}}
{{- define "factorial.workerMemory" -}}
{{- $memory := include "factorial.mebibytes" .Values.worker.memory | int64 -}}
{{- $quick := include "factorial.integerSetting" (dict "root" . "name" "QUICK_CONCURRENCY" "default" 2) | int64 -}}
{{- $long := include "factorial.integerSetting" (dict "root" . "name" "LONG_CONCURRENCY" "default" 1) | int64 -}}
{{- $largeLane := include "factorial.integerSetting" (dict "root" . "name" "LARGE_CONCURRENCY" "default" 1) | int64 -}}
{{- $maxNumber := include "factorial.integerSetting" (dict "root" . "name" "MAX_NUMBER" "default" 100000000) | int64 -}}
{{- $largeFrom := include "factorial.integerSetting" (dict "root" . "name" "LARGE_FROM" "default" 1000000000) | int64 -}}
{{- $large := ternary $largeLane 0 (and (ge $maxNumber $largeFrom) (not .Values.settings.STATE_MACHINE_ARN)) -}}
{{- $threads := include "factorial.cores" .Values.worker.cpu | int64 -}}
{{- $runs := add $quick $long $large -}}
{{- $threadsMemory := mul 12 (add $quick (mul $threads (add $long $large))) -}}
{{- $heapOld := max 64 (min 2048 (div $memory 8)) -}}
{{- $heapSemi := ternary 16 8 (ge $memory 2048) -}}
{{- $heap := add $heapOld (mul 3 $heapSemi) -}}
{{- $reserve := div (add $memory 31) 32 -}}
{{- $leastCompute := mul 64 (add $quick 1) -}}
{{- $others := add 64 $threadsMemory $heap -}}
{{- $forUploads := min (div $memory 8) (sub $memory (add $others $reserve $leastCompute)) -}}
{{- $partsInFlight := max 1 (min 16 (sub (div (max 0 $forUploads) (mul 8 $runs)) 2)) -}}
{{- $uploads := mul 8 $runs (add $partsInFlight 2) -}}
{{- $compute := sub $memory (add $others $reserve $uploads) -}}
{{- if lt $compute $leastCompute -}}
{{- $leastOthers := add 64 $threadsMemory 88 (mul 24 $runs) $leastCompute -}}
{{- /* The heap is 64 up to 512Mi and an eighth above; from 2Gi on its semi-spaces are 24 larger. */ -}}
{{- $leastFlat := add (div (add (mul $leastOthers 32) 30) 31) 1 -}}
{{- $leastEighth := add (div (add (mul (sub $leastOthers 64) 32) 26) 27) 2 -}}
{{- $leastLarge := add (div (add (mul (sub $leastOthers 40) 32) 26) 27) 2 -}}
{{- $least := ternary $leastFlat (ternary $leastEighth $leastLarge (lt $leastEighth 2048)) (lt $leastFlat 512) -}}
{{- fail (printf "worker.memory: %s cannot work: Node takes 64Mi, its heap %dMi, %d cores' threads %dMi, %d calculations at once hold %dMi of upload parts, the reserve is %dMi, and %dMi is the least to compute in. Expected at least %dMi, or fewer calculations at once (settings.QUICK_CONCURRENCY, settings.LONG_CONCURRENCY), or fewer cores (worker.cpu)" .Values.worker.memory $heap $threads $threadsMemory $runs $uploads $reserve $leastCompute $least) -}}
{{- end -}}
memoryMebibytes: {{ $memory }}
threads: {{ $threads }}
heapOldMebibytes: {{ $heapOld }}
heapSemiMebibytes: {{ $heapSemi }}
partsInFlight: {{ $partsInFlight }}
computeBytes: {{ mul $compute 1048576 }}
scratchBytes: {{ div (mul (include "factorial.mebibytes" .Values.worker.scratch.size | int64) 1048576 9) 10 }}
{{- end -}}
