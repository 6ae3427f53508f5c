{{/* What only Airbyte Cloud and the enterprise edition make something of: settings and secrets, as in _settings.tpl. */}}

{{- define "airbyte.settings.editions" -}}
AIRBYTE_CLUSTER_NAME: {{ default "" .Values.global.cluster.name | quote }}
AIRBYTE_AGENTS_URL: {{ .Values.global.airbyteAgentsUrl | quote }}
AIRBYTE_AGENTS_VALID_REDIRECT_URIS: {{ join "," .Values.global.airbyteAgentsValidRedirectUris | quote }}
AIRBYTE_AGENTS_WEB_ORIGINS: {{ join "," .Values.global.airbyteAgentsWebOrigins | quote }}
DEPLOYMENT_ENV: {{ default "" .Values.global.deploymentEnv | quote }}
DEFAULT_DATAPLANE_GROUP_NAME: {{ default "" .Values.global.dataplaneGroups.defaultDataplaneGroupName | quote }}
AWS_ASSUME_ROLE_SECRET_NAME: {{ coalesce .Values.global.aws.assumeRole.secretName .Values.global.aws.secretName (include "airbyte.secretName" (list . "")) | quote }}
INITIAL_USER_FIRST_NAME: {{ .Values.global.auth.instanceAdmin.firstName | quote }}
INITIAL_USER_LAST_NAME: {{ .Values.global.auth.instanceAdmin.lastName | quote }}
STIGG_ENABLED: {{ .Values.stiggSidecar.enabled | quote }}
SEGMENT_WRITE_KEY: {{ default "" .Values.global.tracking.segment.writeKeySecretKey | quote }}
{{- with .Values.global.connectorRollout }}
CONNECTOR_ROLLOUT_EXPIRATION_SECONDS: {{ default 604800 .expirationSeconds | quote }}
CONNECTOR_ROLLOUT_WAIT_BETWEEN_ROLLOUTS_SECONDS: {{ default 10800 .waitBetweenRolloutSeconds | quote }}
CONNECTOR_ROLLOUT_WAIT_BETWEEN_SYNC_RESULTS_QUERIES_SECONDS: {{ default 3600 .waitBetweenSyncResultsQueriesSeconds | quote }}
{{- end }}
{{- with .Values.global.topology }}
NODE_SELECTOR_LABEL: {{ .nodeSelectorLabel | quote }}
NODE_SELECTOR_LABEL_MAIN_NODE_POOL: {{ .nodeSelectors.mainNodePool | quote }}
NODE_SELECTOR_LABEL_JOBS_NODE_POOL: {{ .nodeSelectors.jobsNodePool | quote }}
NODE_SELECTOR_LABEL_QUICK_JOBS_NODE_POOL: {{ .nodeSelectors.quickJobsNodePool | quote }}
{{- end }}
{{- with .Values.global.temporal }}
TEMPORAL_CLI_ADDRESS: {{ .cli.address | quote }}
TEMPORAL_CLI_NAMESPACE: {{ .cli.namespace | quote }}
TEMPORAL_CLOUD_ENABLED: {{ .cloud.enabled | quote }}
TEMPORAL_CLOUD_HOST: {{ .cloud.host | quote }}
TEMPORAL_CLOUD_NAMESPACE: {{ .cloud.namespace | quote }}
{{- end }}
{{- with .Values.server }}
CONNECTOR_DATADOG_SUPPORT_NAMES: {{ .connectorDatadogSupportNames | quote }}
GCS_AIRBYTE_WAREHOUSE_EXPORTS_PROJECT_ID: {{ .warehouseExports.projectId | quote }}
GCS_AIRBYTE_WAREHOUSE_EXPORTS_BUCKET_NAME: {{ .warehouseExports.bucketName | quote }}
GCS_DATA_ORGANIZATION_CUSTOMER_TIERS_OBJECT_PREFIX: {{ default "data/organization_customer_tiers" .data.organizationCustomerTiersObjectPrefix | quote }}
{{- end }}
{{- with .Values.server.webapp }}
WEBAPP_DATADOG_APPLICATION_ID: {{ .datadogApplicationId | quote }}
WEBAPP_DATADOG_CLIENT_TOKEN: {{ .datadogClientToken | quote }}
WEBAPP_DATADOG_ENV: {{ .datadogEnv | quote }}
WEBAPP_DATADOG_SERVICE: {{ default "airbyte-webapp" .datadogService | quote }}
WEBAPP_DATADOG_SITE: {{ default "datadoghq.com" .datadogSite | quote }}
WEBAPP_HOCKEYSTACK_API_KEY: {{ .hockeystackApiKey | quote }}
WEBAPP_LAUNCHDARKLY_KEY: {{ .launchdarklyKey | quote }}
WEBAPP_OSANO_KEY: {{ .osanoKey | quote }}
WEBAPP_SEGMENT_TOKEN: {{ .segmentToken | quote }}
WEBAPP_SONAR_API_URL: {{ .sonarApiUrl | quote }}
WEBAPP_CORAL_AGENTS_API_URL: {{ default "" .coralAgentsApiUrl | quote }}
WEBAPP_ZENDESK_KEY: {{ .zendeskKey | quote }}
{{- end }}
{{- end }}

{{- define "airbyte.settings.identity" -}}
{{- $identity := .Values.global.auth.identityProvider -}}
AB_AIRBYTE_AUTH_IDENTITY_PROVIDER_VERIFY_ISSUER: {{ default false $identity.verifyIssuer | quote }}
AB_AIRBYTE_AUTH_IDENTITY_PROVIDER_VERIFY_AUDIENCE: {{ default false $identity.verifyAudience | quote }}
{{- if eq $identity.type "oidc" }}
OIDC_DOMAIN: {{ $identity.oidc.domain | quote }}
OIDC_APP_NAME: {{ $identity.oidc.appName | quote }}
OIDC_DISPLAY_NAME: {{ $identity.oidc.displayName | quote }}
{{- else if eq $identity.type "generic-oidc" }}
{{- with $identity.genericOidc }}
AB_AIRBYTE_AUTH_IDENTITY_PROVIDER_OIDC_CLIENT_ID: {{ .clientId | quote }}
AB_AIRBYTE_AUTH_IDENTITY_PROVIDER_OIDC_AUDIENCE: {{ .audience | quote }}
AB_AIRBYTE_AUTH_IDENTITY_PROVIDER_OIDC_EXTRA_SCOPES: {{ .extraScopes | quote }}
AB_AIRBYTE_AUTH_IDENTITY_PROVIDER_OIDC_ENDPOINTS_AUTHORIZATION_SERVER_ENDPOINT: {{ .endpoints.authorizationServerEndpoint | quote }}
AB_AIRBYTE_AUTH_IDENTITY_PROVIDER_OIDC_FIELDS_SUB: {{ .fields.subject | quote }}
AB_AIRBYTE_AUTH_IDENTITY_PROVIDER_OIDC_FIELDS_EMAIL: {{ .fields.email | quote }}
AB_AIRBYTE_AUTH_IDENTITY_PROVIDER_OIDC_FIELDS_NAME: {{ .fields.name | quote }}
AB_AIRBYTE_AUTH_IDENTITY_PROVIDER_OIDC_FIELDS_ISSUER: {{ .fields.issuer | quote }}
AB_AIRBYTE_AUTH_JWKS_ENDPOINT: {{ .endpoints.jwksEndpoint | quote }}
DEFAULT_REALM: {{ .issuer | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "airbyte.secrets.identity" -}}
{{- $identity := .Values.global.auth.identityProvider -}}
{{- $secret := include "airbyte.secretName" (list . $identity.secretName) -}}
{{- if eq $identity.type "oidc" }}
OIDC_CLIENT_ID: {secret: {{ $secret }}, key: {{ default "OIDC_CLIENT_ID" $identity.oidc.clientIdSecretKey }}}
OIDC_CLIENT_SECRET: {secret: {{ $secret }}, key: {{ default "OIDC_CLIENT_SECRET" $identity.oidc.clientSecretSecretKey }}}
{{- end }}
{{- end }}

{{- define "airbyte.secrets.editions" -}}
{{- if eq .Values.global.edition "enterprise" }}
{{- $enterprise := .Values.global.enterprise }}
AIRBYTE_LICENSE_KEY: {secret: {{ include "airbyte.secretName" (list . $enterprise.secretName) }}, key: {{ default "AIRBYTE_LICENSE_KEY" $enterprise.licenseKeySecretKey }}}
{{- end }}
{{- if .Values.global.temporal.cloud.enabled }}
{{- $temporal := .Values.global.temporal }}
{{- $secret := include "airbyte.secretName" (list . $temporal.secretName) }}
TEMPORAL_CLOUD_CLIENT_CERT: {secret: {{ $secret }}, key: {{ $temporal.cloud.clientCertSecretKey }}}
TEMPORAL_CLOUD_CLIENT_KEY: {secret: {{ $secret }}, key: {{ $temporal.cloud.clientKeySecretKey }}}
{{- end }}
{{- if .Values.stiggSidecar.enabled }}
{{- $stigg := .Values.global.stigg }}
{{- $secret := include "airbyte.secretName" (list . $stigg.secretName) }}
STIGG_API_KEY: {secret: {{ $secret }}, key: {{ default "STIGG_API_KEY" $stigg.apiKeySecretKey }}}
STIGG_WEBHOOK_SECRET: {secret: {{ $secret }}, key: {{ default "STIGG_WEBHOOK_SECRET" $stigg.webhookSecretSecretKey }}}
{{- end }}
{{- end }}

{{/* Secrets that were given in plain text. */}}
{{- define "airbyte.plain.editions" -}}
AIRBYTE_LICENSE_KEY: {{ default "" .Values.global.enterprise.licenseKey | quote }}
CUSTOMERIO_API_KEY: {{ default "" .Values.global.customerio.apiKey | quote }}
STIGG_API_KEY: {{ default "" .Values.global.stigg.apiKey | quote }}
STIGG_WEBHOOK_SECRET: {{ default "" .Values.global.stigg.webhookSecret | quote }}
{{ default "AWS_ASSUME_ROLE_ACCESS_KEY_ID" .Values.global.aws.assumeRole.accessKeyIdSecretKey }}: {{ .Values.global.aws.assumeRole.accessKeyId | quote }}
{{ default "AWS_ASSUME_ROLE_SECRET_ACCESS_KEY" .Values.global.aws.assumeRole.secretAccessKeySecretKey }}: {{ .Values.global.aws.assumeRole.secretAccessKey | quote }}
{{- with .Values.global.temporal }}
TEMPORAL_CLI_TLS_CERT: {{ .cli.tlsCert | quote }}
TEMPORAL_CLI_TLS_KEY: {{ .cli.tlsKey | quote }}
TEMPORAL_CLOUD_CLIENT_CERT: {{ .cloud.clientCert | quote }}
TEMPORAL_CLOUD_CLIENT_KEY: {{ .cloud.clientKey | quote }}
{{- end }}
{{- with .Values.global.featureFlags.launchdarkly }}
LAUNCHDARKLY_KEY: {{ .key | quote }}
{{- end }}
{{- if eq .Values.global.auth.identityProvider.type "oidc" }}
OIDC_CLIENT_ID: {{ default "" .Values.global.auth.identityProvider.oidc.clientId | quote }}
OIDC_CLIENT_SECRET: {{ default "" .Values.global.auth.identityProvider.oidc.clientSecret | quote }}
{{- end }}
{{- end }}
