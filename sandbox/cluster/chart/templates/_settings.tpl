{{/*
What Airbyte is told, by topic. `airbyte.settings.<topic>` gives the keys of ConfigMap <release>-airbyte-env,
`airbyte.secrets.<topic>` environment variables with the Secret and the key they come from. Both are YAML maps.
*/}}

{{- define "airbyte.settings.common" -}}
AIRBYTE_EDITION: {{ .Values.global.edition | quote }}
AIRBYTE_VERSION: {{ coalesce .Values.global.version .Values.global.image.tag .Chart.AppVersion | quote }}
AIRBYTE_CLUSTER_TYPE: {{ .Values.global.cluster.type | quote }}
AIRBYTE_URL: {{ default "http://localhost:8080" .Values.global.airbyteUrl | quote }}
AIRBYTE_API_HOST: {{ default (printf "http://localhost:%v/api/public" .Values.server.service.port) .Values.global.api.host | quote }}
AIRBYTE_SERVER_HOST: "{{ .Release.Name }}-airbyte-server-svc.{{ include "airbyte.namespace" . }}:{{ .Values.server.service.port }}"
INTERNAL_API_HOST: "http://{{ .Release.Name }}-airbyte-server-svc.{{ include "airbyte.namespace" . }}:{{ .Values.server.service.port }}"
MANIFEST_SERVER_API_HOST: "http://{{ .Release.Name }}-airbyte-manifest-server-svc.{{ include "airbyte.namespace" . }}:{{ .Values.manifestServer.service.port }}"
API_AUTHORIZATION_ENABLED: {{ .Values.global.auth.enabled | quote }}
LOCAL: {{ .Values.global.local | quote }}
{{- end }}

{{- define "airbyte.secrets.common" -}}
AIRBYTE_DUMMY_SECRET: {secret: {{ include "airbyte.secretName" (list . "") }}, key: {{ default "AIRBYTE_DUMMY_SECRET" .Values.global.dummySecretSecretKey }}}
{{- end }}

{{- define "airbyte.settings.cluster" -}}
CLUSTER_TYPE: {{ .Values.global.cluster.type | quote }}
CONTROL_PLANE_AUTH_ENDPOINT: {{ default .Values.global.airbyteUrl .Values.global.cluster.dataPlane.controlPlaneAuthEndpoint | quote }}
{{- end }}

{{- define "airbyte.settings.cookies" -}}
AB_COOKIE_SECURE: {{ .Values.global.auth.security.cookieSecureSetting | quote }}
AB_COOKIE_SAME_SITE: {{ .Values.global.auth.security.cookieSameSiteSetting | quote }}
{{- end }}

{{- define "airbyte.settings.connectors" -}}
CONNECTOR_REGISTRY_SEED_PROVIDER: {{ .Values.global.connectorRegistry.seedProvider | quote }}
ENTERPRISE_SOURCE_STUBS_URL: {{ default "https://connectors.airbyte.com/files/resources/connector_stubs/v1/connector_stubs.json" .Values.global.connectorRegistry.enterpriseSourceStubsUrl | quote }}
{{- end }}

{{- define "airbyte.settings.cron" -}}
UPDATE_DEFINITIONS_CRON_ENABLED: {{ .Values.cron.jobs.updateDefinitions.enabled | quote }}
RUN_DECLARATIVE_SOURCES_UPDATER: {{ .Values.cron.jobs.declarativeSourcesUpdater.enabled | quote }}
{{- end }}

{{- define "airbyte.settings.featureFlags" -}}
FEATURE_FLAG_CLIENT: {{ .Values.global.featureFlags.client | quote }}
{{- if eq .Values.global.featureFlags.client "configfile" }}
FEATURE_FLAG_PATH: {{ dig "path" "/etc/launchdarkly/flags.yml" .Values.global.featureFlags.configfile | quote }}
{{- end }}
{{- end }}

{{- define "airbyte.secrets.featureFlags" -}}
{{- with .Values.global.featureFlags }}
{{- if eq .client "launchdarkly" }}
LAUNCHDARKLY_KEY: {secret: {{ include "airbyte.secretName" (list $ .secretName) }}, key: {{ default "LAUNCHDARKLY_KEY" .launchdarkly.keySecretKey }}}
{{- end }}
{{- end }}
{{- end }}

{{- define "airbyte.settings.logging" -}}
LOG_LEVEL: {{ .Values.global.logging.level | quote }}
{{- end }}

{{- define "airbyte.settings.metrics" -}}
{{- with .Values.global.metrics -}}
MICROMETER_METRICS_ENABLED: {{ .enabled | quote }}
MICROMETER_METRICS_STEP: {{ default "PT1M" .step | quote }}
MICROMETER_METRICS_OTLP_ENABLED: {{ .otlp.enabled | quote }}
MICROMETER_METRICS_STATSD_ENABLED: {{ .statsd.enabled | quote }}
MICROMETER_METRICS_STATSD_FLAVOR: {{ default "datadog" .statsd.flavor | quote }}
OTEL_COLLECTOR_ENDPOINT: {{ .otlp.collectorEndpoint | quote }}
PUBLISH_METRICS: {{ dig "publish" true . | quote }}
STATSD_PORT: {{ default "8125" .statsd.port | quote }}
{{- end }}
{{- end }}

{{- define "airbyte.settings.micronaut" -}}
{{- $own := list "control-plane" (printf "edition-%s" .Values.global.edition) -}}
MICRONAUT_ENVIRONMENTS: {{ concat .Values.global.micronaut.environments $own | join "," | quote }}
{{- end }}

{{- define "airbyte.settings.server" -}}
AUDIT_LOGGING_ENABLED: {{ .Values.server.auditLoggingEnabled | quote }}
CONFIG_DB_MAX_POOL_SIZE: {{ .Values.server.configDbMaxPoolSize | quote }}
HTTP_IDLE_TIMEOUT: {{ .Values.server.httpIdleTimeout | quote }}
PUBLIC_API_EXECUTOR_THREADS: {{ .Values.server.publicApiExecutor.numThreads | quote }}
IO_TASK_EXECUTOR_THREADS: {{ .Values.server.ioExecutor.numThreads | quote }}
SCHEDULER_TASK_EXECUTOR_THREADS: {{ .Values.server.scheduler.numThreads | quote }}
AI_ASSIST_URL_BASE: {{ .Values.server.connectorBuilder.aiAssistUrlBase | quote }}
{{- end }}

{{- define "airbyte.secrets.server" -}}
{{- $secret := include "airbyte.secretName" (list . .Values.server.secretName) -}}
OPENAI_API_KEY_PROJ_FAILED_SYNC_ASSISTANT: {secret: {{ $secret }}, key: {{ default "OPENAI_API_KEY_PROJ_FAILED_SYNC_ASSISTANT" .Values.server.openai.syncAssistantApiKeySecretKey }}}
BUILDER_GITHUB_AIRBYTE_PAT_TOKEN: {secret: {{ $secret }}, key: {{ default "BUILDER_GITHUB_AIRBYTE_PAT_TOKEN" .Values.server.connectorBuilder.githubTokenSecretKey }}}
{{- end }}

{{- define "airbyte.secrets.customerio" -}}
CUSTOMERIO_API_KEY: {secret: {{ include "airbyte.secretName" (list . .Values.global.customerio.secretName) }}, key: {{ default "CUSTOMERIO_API_KEY" .Values.global.customerio.apiKeySecretKey }}}
{{- end }}

{{- define "airbyte.settings.tracking" -}}
TRACKING_ENABLED: {{ .Values.global.tracking.enabled | quote }}
TRACKING_STRATEGY: {{ .Values.global.tracking.strategy | quote }}
{{- end }}

{{- define "airbyte.settings.workers" -}}
{{- with .Values.worker -}}
ACTIVITY_MAX_ATTEMPT: {{ .activityMaxAttempt | quote }}
ACTIVITY_INITIAL_DELAY_BETWEEN_ATTEMPTS_SECONDS: {{ .activityInitialDelayBetweenAttemptsSeconds | quote }}
ACTIVITY_MAX_DELAY_BETWEEN_ATTEMPTS_SECONDS: {{ .activityMaxDelayBetweenAttemptsSeconds | quote }}
MAX_CHECK_WORKERS: {{ default "30" .maxCheckWorkers | quote }}
MAX_NOTIFY_WORKERS: {{ default "30" .maxNotifyWorkers | quote }}
MAX_SYNC_WORKERS: {{ default "5" .maxSyncWorkers | quote }}
CONFIG_ROOT: {{ default "/configs" .configRoot | quote }}
DISCOVER_REFRESH_WINDOW_MINUTES: {{ default "" .discoverRefreshWindowMinutes | quote }}
SYNC_JOB_MAX_ATTEMPTS: {{ default "3" .syncJobMaxAttempts | quote }}
SYNC_JOB_MAX_TIMEOUT_DAYS: {{ default "3" .syncJobMaxTimeoutDays | quote }}
SYNC_JOB_INIT_RETRY_TIMEOUT_MINUTES: {{ default "5" .syncJobInitRetryTimeoutMinutes | quote }}
USE_CUSTOM_NODE_SELECTOR: {{ default false .useCustomNodeSelector | quote }}
USE_STREAM_CAPABLE_STATE: {{ dig "useStreamCapableState" true . | quote }}
WORKFLOW_FAILURE_RESTART_DELAY_SECONDS: {{ default "" .workflowFailureRestartDelaySeconds | quote }}
WORKSPACE_DOCKER_MOUNT: {{ default "airbyte_workspace" .workspaceDockerMount | quote }}
WORKSPACE_ROOT: {{ default "/workspace" .workspaceRoot | quote }}
WORKER_ENVIRONMENT: kubernetes
{{- end }}
{{- end }}

{{- define "airbyte.settings.workloadApi" -}}
WORKLOAD_API_SERVER_ENABLED: {{ .Values.workloadApiServer.enabled | quote }}
WORKLOAD_API_HOST: {{ default (printf "http://%s-workload-api-server-svc.%s:%v" .Release.Name (include "airbyte.namespace" .) .Values.workloadApiServer.service.port) .Values.workloadApiServer.host | quote }}
{{- end }}

{{/* A Secret's name: the given one, else the one for everything, else the chart's own. (list root name) */}}
{{- define "airbyte.secretName" -}}
{{- $root := index . 0 -}}
{{ coalesce (index . 1) $root.Values.global.secretName (include "airbyte.secrets" $root) }}
{{- end }}

{{/* In the ConfigMap, though pods are told another value under the same name. */}}
{{- define "airbyte.settings.overruled" -}}
JOB_KUBE_NAMESPACE: {{ default "" .Values.global.jobs.kube.namespace | quote }}
STATSD_HOST: {{ .Values.global.metrics.statsd.host | quote }}
{{- end }}
