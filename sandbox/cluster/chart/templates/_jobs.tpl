{{/* What the launcher is told of the pods it starts: where they run, under which account, and how big they are. */}}

{{- define "airbyte.settings.jobs" -}}
{{- $kube := .Values.global.jobs.kube -}}
JOB_KUBE_SERVICEACCOUNT: {{ .Values.global.serviceAccountName | quote }}
JOB_KUBE_LOCAL_VOLUME_ENABLED: {{ $kube.localVolume.enabled | quote }}
JOB_KUBE_MAIN_CONTAINER_IMAGE_PULL_SECRET: {{ include "airbyte.jobs.pullSecrets" . | quote }}
JOB_KUBE_ANNOTATIONS: {{ include "airbyte.jobs.pairs" $kube.annotations | quote }}
JOB_KUBE_LABELS: {{ include "airbyte.jobs.pairs" $kube.labels | quote }}
JOB_KUBE_NODE_SELECTORS: {{ include "airbyte.jobs.pairs" $kube.nodeSelector | quote }}
JOB_KUBE_TOLERATIONS: {{ include "airbyte.jobs.tolerations" $kube.tolerations | quote }}
JOB_ERROR_REPORTING_STRATEGY: {{ .Values.global.jobs.errors.reportingStrategy | quote }}
{{- if eq .Values.global.jobs.errors.reportingStrategy "sentry" }}
JOB_ERROR_REPORTING_SENTRY_DSN: {{ .Values.global.jobs.errors.sentry.dsn | quote }}
{{- end }}
{{- end }}

{{- define "airbyte.settings.scheduling" -}}
{{- $scheduling := .Values.global.jobs.kube.scheduling -}}
CHECK_JOB_KUBE_NODE_SELECTORS: {{ include "airbyte.jobs.pairs" $scheduling.check.nodeSelectors | quote }}
CHECK_JOB_KUBE_RUNTIME_CLASS_NAME: {{ $scheduling.check.runtimeClassName | quote }}
DISCOVER_JOB_KUBE_NODE_SELECTORS: {{ include "airbyte.jobs.pairs" $scheduling.discover.nodeSelectors | quote }}
DISCOVER_JOB_KUBE_RUNTIME_CLASS_NAME: {{ $scheduling.discover.runtimeClassName | quote }}
JOB_ISOLATED_KUBE_NODE_SELECTORS: {{ include "airbyte.jobs.pairs" $scheduling.isolated.nodeSelectors | quote }}
JOB_ISOLATED_KUBE_RUNTIME_CLASS_NAME: {{ $scheduling.isolated.runtimeClassName | quote }}
JOB_SOURCE_DECLARATIVE_MANIFEST_KUBE_NODE_SELECTORS: {{ include "airbyte.jobs.pairs" $scheduling.sourceDeclarativeManifest.nodeSelectors | quote }}
JOB_SOURCE_DECLARATIVE_MANIFEST_KUBE_RUNTIME_CLASS_NAME: {{ $scheduling.sourceDeclarativeManifest.runtimeClassName | quote }}
{{- end }}

{{- define "airbyte.settings.jobResources" -}}
{{- $resources := .Values.global.workloads.resources -}}
{{- $old := .Values.global.jobs.resources -}}
{{- $main := $resources.mainContainer -}}
CONNECTOR_SPECIFIC_RESOURCE_DEFAULTS_ENABLED: {{ $resources.useConnectorResourceDefaults | quote }}
FILE_TRANSFER_EPHEMERAL_STORAGE_REQUEST: {{ $resources.fileTransfer.storage.request | quote }}
FILE_TRANSFER_EPHEMERAL_STORAGE_LIMIT: {{ $resources.fileTransfer.storage.limit | quote }}
JOB_MAIN_CONTAINER_CPU_REQUEST: {{ default (default "" $old.requests.cpu) $main.cpu.request | quote }}
JOB_MAIN_CONTAINER_CPU_LIMIT: {{ default (default "" $old.limits.cpu) $main.cpu.limit | quote }}
JOB_MAIN_CONTAINER_MEMORY_REQUEST: {{ default (default "" $old.requests.memory) $main.memory.request | quote }}
JOB_MAIN_CONTAINER_MEMORY_LIMIT: {{ default (default "" $old.limits.memory) $main.memory.limit | quote }}
{{ include "airbyte.jobs.size" (list "CHECK_JOB_MAIN_CONTAINER" $resources.check) }}
{{ include "airbyte.jobs.size" (list "DISCOVER_JOB_MAIN_CONTAINER" $resources.discover) }}
{{ include "airbyte.jobs.size" (list "REPLICATION_ORCHESTRATOR" $resources.replication) }}
{{ include "airbyte.jobs.size" (list "SIDECAR_MAIN_CONTAINER" $resources.sidecar) }}
{{- end }}

{{/* (list prefix resources), where resources is {cpu: {request, limit}, memory: {request, limit}}. */}}
{{- define "airbyte.jobs.size" -}}
{{- $prefix := index . 0 -}}
{{- $resources := index . 1 -}}
{{ $prefix }}_CPU_REQUEST: {{ default "" $resources.cpu.request | quote }}
{{ $prefix }}_CPU_LIMIT: {{ default "" $resources.cpu.limit | quote }}
{{ $prefix }}_MEMORY_REQUEST: {{ default "" $resources.memory.request | quote }}
{{ $prefix }}_MEMORY_LIMIT: {{ default "" $resources.memory.limit | quote }}
{{- end }}

{{- define "airbyte.settings.launcher" -}}
{{- $launcher := .Values.workloadLauncher -}}
{{- $plane := $launcher.dataPlane -}}
{{- $workloads := .Values.global.workloads -}}
{{- $secret := default (include "airbyte.auth.managedSecret" .) $plane.secretName -}}
CONTROL_PLANE_TOKEN_ENDPOINT: "http://{{ .Release.Name }}-airbyte-server-svc.{{ include "airbyte.namespace" . }}:{{ .Values.server.service.port }}/api/v1/dataplanes/token"
WORKLOAD_LAUNCHER_ENABLED: {{ $launcher.enabled | quote }}
WORKLOAD_LAUNCHER_PARALLELISM: {{ default 10 $launcher.parallelism | quote }}
DATAPLANE_CLIENT_ID_SECRET_NAME: {{ default $secret $plane.clientIdSecretName | quote }}
DATAPLANE_CLIENT_SECRET_SECRET_NAME: {{ default $secret $plane.clientSecretSecretName | quote }}
JOB_KUBE_CONNECTOR_IMAGE_REGISTRY: {{ default .Values.global.image.registry (dig "connector" "image" "registry" "" $launcher) | quote }}
CONTAINER_ORCHESTRATOR_ENABLED: {{ $launcher.containerOrchestrator.enabled | quote }}
CONTAINER_ORCHESTRATOR_IMAGE: {{ include "airbyte.jobImage" (list . $launcher.containerOrchestrator.image) | quote }}
CONNECTOR_SIDECAR_IMAGE: {{ include "airbyte.jobImage" (list . $launcher.connectorSidecar.image) | quote }}
WORKLOAD_INIT_IMAGE: {{ include "airbyte.jobImage" (list . $launcher.workloadInit.image) | quote }}
CONNECTOR_PROFILER_IMAGE: {{ include "airbyte.jobImage" (list . $launcher.connectorProfiler.image) | quote }}
KUBERNETES_CLIENT_MAX_IDLE_CONNECTIONS: {{ default 100 $workloads.kubernetesClientMaxIdleConnections | quote }}
KUBERNETES_CLIENT_MAX_RETRIES: {{ default "" $workloads.kuberentesClientMaxRetries | quote }}
{{- with $workloads.containerOrchestrator }}
CONTAINER_ORCHESTRATOR_JAVA_OPTS: {{ default "" .javaOpts | quote }}
CONTAINER_ORCHESTRATOR_SECRET_NAME: {{ default $.Values.global.secretName .secretName | quote }}
CONTAINER_ORCHESTRATOR_SECRET_MOUNT_PATH: {{ default "/secrets/gcp-creds" .secretMountPath | quote }}
CONTAINER_ORCHESTRATOR_DATA_PLANE_CREDS_SECRET_NAME: {{ .dataPlane.secretName | quote }}
CONTAINER_ORCHESTRATOR_DATA_PLANE_CREDS_SECRET_KEY: {{ default "sa.json" .dataPlane.secretKey | quote }}
CONTAINER_ORCHESTRATOR_DATA_PLANE_CREDS_SECRET_MOUNT_PATH: {{ default "/secrets/dataplane-creds" .dataPlane.secretMountPath | quote }}
{{- end }}
PUB_SUB_ENABLED: {{ $workloads.pubSub.enabled | quote }}
PUB_SUB_TOPIC_NAME: {{ $workloads.pubSub.topicName | quote }}
DATA_CHECK_TASK_QUEUES: {{ join "," $workloads.queues.check | quote }}
DATA_DISCOVER_TASK_QUEUES: {{ join "," $workloads.queues.discover | quote }}
DATA_SYNC_TASK_QUEUES: {{ join "," $workloads.queues.sync | quote }}
{{- end }}

{{/* A map as `key=value,key=value`. */}}
{{- define "airbyte.jobs.pairs" -}}
{{- $pairs := list -}}
{{- range $key, $value := . }}{{ $pairs = append $pairs (printf "%s=%v" $key $value) }}{{ end -}}
{{ join "," $pairs }}
{{- end }}

{{/* A list of maps as `key=value,key=value;key=value`. */}}
{{- define "airbyte.jobs.tolerations" -}}
{{- $all := list -}}
{{- range . }}{{ $all = append $all (include "airbyte.jobs.pairs" .) }}{{ end -}}
{{ join ";" $all }}
{{- end }}

{{- define "airbyte.jobs.pullSecrets" -}}
{{- $names := list -}}
{{- range .Values.global.imagePullSecrets }}{{ $names = append $names .name }}{{ end -}}
{{- with .Values.global.jobs.kube.mainContainerImagePullSecret }}{{ $names = append $names . }}{{ end -}}
{{ join "," $names }}
{{- end }}
