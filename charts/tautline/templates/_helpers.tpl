{{- define "tautline.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "tautline.fullname" -}}
{{- $name := include "tautline.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- /* 52 characters leave room for suffixes such as -webhook. */ -}}
{{- default $full .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- define "tautline.selector" -}}
app.kubernetes.io/name: {{ include "tautline.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "tautline.labels" -}}
{{ include "tautline.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: tautline
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "tautline.serviceAccount" -}}
{{- $own := ternary (include "tautline.fullname" .) "default" .Values.serviceAccount.create -}}
{{- default $own .Values.serviceAccount.name -}}
{{- end -}}

{{- define "tautline.image" -}}
{{- with .Values.image -}}
{{- $name := empty .registry | ternary .repository (printf "%s/%s" .registry .repository) -}}
{{- if .digest -}}
{{ $name }}@{{ .digest }}
{{- else -}}
{{ $name }}:{{ default $.Chart.AppVersion .tag }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Names of cluster-scoped objects contain the namespace, so that releases of the same name do not collide. */ -}}
{{- define "tautline.clusterName" -}}
{{ .Release.Namespace }}-{{ include "tautline.fullname" . }}
{{- end -}}

{{- /* Converts a quantity of memory to MiB, rounded down. */ -}}
{{- define "tautline.mib" -}}
{{- $text := toString . -}}
{{- $number := regexFind "^[0-9.]+" $text | float64 -}}
{{- $unit := regexFind "[A-Za-z]*$" $text -}}
{{- $bytes := dict "" 1 "k" 1000 "Ki" 1024 "M" 1000000 "Mi" 1048576 "G" 1000000000 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- if not (hasKey $bytes $unit) }}{{ fail (printf "resources.limits.memory: '%s' must have a unit out of Ki, Mi, Gi, Ti, k, M, G, or none" $text) }}{{ end -}}
{{- divf (mulf $number (get $bytes $unit)) 1048576 | floor | int64 -}}
{{- end -}}

{{- /* Fails unless heap, other memory, sandboxes, helm and sops fit into the memory limit. Otherwise the kernel would kill the agent. */ -}}
{{- define "tautline.checkMemory" -}}
{{- $limit := dig "limits" "memory" "" .Values.resources -}}
{{- if $limit -}}
{{- $beside := 448 -}}
{{- $heap := required "settings.heap-mib is required with a memory limit" (get .Values.settings "heap-mib") | int64 -}}
{{- $slots := required "settings.sandbox-slots is required with a memory limit" (get .Values.settings "sandbox-slots") | int64 -}}
{{- $sandbox := required "settings.sandbox-rss-mib is required with a memory limit" (get .Values.settings "sandbox-rss-mib") | int64 -}}
{{- $helmSlots := required "settings.helm-slots is required with a memory limit" (get .Values.settings "helm-slots") | int64 -}}
{{- $helm := required "settings.helm-memory-mib is required with a memory limit" (get .Values.settings "helm-memory-mib") | int64 -}}
{{- $sopsSlots := required "settings.sops-slots is required with a memory limit" (get .Values.settings "sops-slots") | int64 -}}
{{- $sops := required "settings.sops-memory-mib is required with a memory limit" (get .Values.settings "sops-memory-mib") | int64 -}}
{{- if eq $helmSlots 0 }}{{ fail "settings.helm-slots is 0, which leaves the runs of helm to the number of processors, although there is a memory limit: set a number" }}{{ end -}}
{{- if eq $heap 0 }}{{ fail "settings.heap-mib is 0, which leaves the heap unbounded, although there is a memory limit: set a size" }}{{ end -}}
{{- $need := add $heap $beside (mul $slots $sandbox) (mul $helmSlots $helm) (mul $sopsSlots $sops) -}}
{{- $has := include "tautline.mib" $limit | int64 -}}
{{- if gt $need $has -}}
{{- fail (printf "resources.limits.memory (%s) is less than the %d MiB that the agent may use: heap-mib %d + %d MiB other memory + sandbox-slots %d × sandbox-rss-mib %d + helm-slots %d × helm-memory-mib %d + sops-slots %d × sops-memory-mib %d" (toString $limit) $need $heap $beside $slots $sandbox $helmSlots $helm $sopsSlots $sops) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Helm reads every number as a float, and prints large numbers in the form 1e+06. */ -}}
{{- define "tautline.setting" -}}
{{- if kindIs "float64" . }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- end -}}
