{{/* Where Airbyte keeps things: its database, its files, and the secrets of connectors. */}}

{{- define "airbyte.database.host" -}}
{{- if .Values.postgresql.enabled -}}
{{ default (printf "airbyte-db-svc.%s.svc.cluster.local" (include "airbyte.namespace" .)) .Values.global.database.host }}
{{- else -}}
{{ required "global.database.host has to be set where postgresql.enabled is false" .Values.global.database.host }}
{{- end }}
{{- end }}

{{- define "airbyte.database.name" -}}
{{- if .Values.postgresql.enabled -}}
{{ .Values.postgresql.postgresqlDatabase }}
{{- else -}}
{{ required "global.database.name has to be set where postgresql.enabled is false" .Values.global.database.name }}
{{- end }}
{{- end }}

{{- define "airbyte.settings.database" -}}
{{- $port := default 5432 .Values.global.database.port -}}
{{- $url := printf "jdbc:postgresql://%s:%v/%s" (include "airbyte.database.host" .) $port (include "airbyte.database.name" .) -}}
DATABASE_HOST: {{ include "airbyte.database.host" . | quote }}
DATABASE_PORT: {{ $port | quote }}
DATABASE_DB: {{ include "airbyte.database.name" . | quote }}
DATABASE_URL: {{ $url | quote }}
CONFIG_DATABASE_REPLICA_URL: {{ default $url .Values.global.database.replica.url | quote }}
RUN_DATABASE_MIGRATION_ON_STARTUP: {{ .Values.global.migrations.runAtStartup | quote }}
{{- end }}

{{- define "airbyte.settings.migrations" -}}
CONFIGS_DATABASE_MINIMUM_FLYWAY_MIGRATION_VERSION: {{ default "0.35.15.001" .Values.global.migrations.configDb.minimumFlywayMigrationVersion | quote }}
JOBS_DATABASE_MINIMUM_FLYWAY_MIGRATION_VERSION: {{ default "0.29.15.001" .Values.global.migrations.jobsDb.minimumFlywayMigrationVersion | quote }}
{{- end }}

{{/* Google's proxy logs in by itself. */}}
{{- define "airbyte.secrets.database" -}}
{{- if not .Values.global.cloudSqlProxy.enabled }}
{{- $database := .Values.global.database -}}
{{- $secret := include "airbyte.secretName" (list . $database.secretName) -}}
DATABASE_USER: {secret: {{ $secret }}, key: {{ default "DATABASE_USER" $database.userSecretKey }}}
DATABASE_PASSWORD: {secret: {{ $secret }}, key: {{ default "DATABASE_PASSWORD" $database.passwordSecretKey }}}
CONFIG_DATABASE_REPLICA_USER: {secret: {{ $secret }}, key: {{ default "CONFIG_DATABASE_REPLICA_USER" $database.replica.userSecretKey }}}
CONFIG_DATABASE_REPLICA_PASSWORD: {secret: {{ $secret }}, key: {{ default "CONFIG_DATABASE_REPLICA_PASSWORD" $database.replica.passwordSecretKey }}}
{{- end }}
{{- end }}

{{/* Temporal speaks to the same server under other names. A server of one's own means TLS, unverified. */}}
{{- define "airbyte.settings.temporalServer" -}}
{{- $tls := eq .Values.global.database.type "external" -}}
DB: {{ .Values.temporal.database.engine | quote }}
POSTGRES_TLS_ENABLED: {{ $tls | quote }}
POSTGRES_TLS_DISABLE_HOST_VERIFICATION: {{ $tls | quote }}
SQL_TLS_ENABLED: {{ $tls | quote }}
SQL_TLS_DISABLE_HOST_VERIFICATION: {{ $tls | quote }}
{{- end }}

{{- define "airbyte.secrets.temporalServer" -}}
{{- $database := .Values.temporal.database -}}
{{- $secret := include "airbyte.secretName" (list . .Values.global.database.secretName) -}}
POSTGRES_USER: {secret: {{ $secret }}, key: {{ coalesce $database.userSecretKey .Values.global.database.userSecretKey "DATABASE_USER" }}}
POSTGRES_PWD: {secret: {{ $secret }}, key: {{ coalesce $database.passwordSecretKey .Values.global.database.passwordSecretKey "DATABASE_PASSWORD" }}}
{{- end }}

{{- define "airbyte.settings.temporal" -}}
AUTO_SETUP: {{ .Values.temporal.autoSetup | quote }}
TEMPORAL_HOST: "{{ .Release.Name }}-temporal:{{ .Values.temporal.service.port }}"
DYNAMIC_CONFIG_FILE_PATH: {{ default "config/dynamicconfig/development.yaml" .Values.temporal.configFilePath | quote }}
PROMETHEUS_ENDPOINT: {{ default "0.0.0.0:9090" .Values.temporal.prometheus.endpoint | quote }}
BIND_ON_IP: {{ default "0.0.0.0" .Values.temporal.bindOnIp | quote }}
TEMPORAL_BROADCAST_ADDRESS: {{ default "0.0.0.0" .Values.temporal.temporalBroadcastAddress | quote }}
TEMPORAL_SDK_RPC_TIMEOUT: {{ .Values.temporal.sdk.rpc.timeout | quote }}
TEMPORAL_SDK_RPC_LONG_POLL_TIMEOUT: {{ .Values.temporal.sdk.rpc.longPollTimeout | quote }}
TEMPORAL_SDK_RPC_QUERY_TIMEOUT: {{ .Values.temporal.sdk.rpc.queryTimeout | quote }}
{{- end }}

{{- define "airbyte.settings.storage" -}}
{{- $storage := .Values.global.storage -}}
STORAGE_TYPE: {{ $storage.type | quote }}
STORAGE_BUCKET_ACTIVITY_PAYLOAD: {{ $storage.bucket.activityPayload | quote }}
STORAGE_BUCKET_AUDIT_LOGGING: {{ $storage.bucket.auditLogging | quote }}
STORAGE_BUCKET_LOG: {{ $storage.bucket.log | quote }}
STORAGE_BUCKET_STATE: {{ $storage.bucket.state | quote }}
STORAGE_BUCKET_WORKLOAD_OUTPUT: {{ $storage.bucket.workloadOutput | quote }}
{{- if eq $storage.type "minio" }}
MINIO_ENDPOINT: {{ default (printf "http://airbyte-minio-svc.%s:9000" (include "airbyte.namespace" .)) $storage.minio.endpoint | quote }}
S3_PATH_STYLE_ACCESS: {{ dig "s3PathStyleAccess" true $storage.minio | quote }}
{{- else if eq $storage.type "s3" }}
AWS_DEFAULT_REGION: {{ required "global.storage.s3.region has to be set where global.storage.type is s3" $storage.s3.region | quote }}
AWS_AUTHENTICATION_TYPE: {{ default "credentials" $storage.s3.authenticationType | quote }}
{{- else if eq $storage.type "gcs" }}
GOOGLE_APPLICATION_CREDENTIALS: {{ default "/secrets/gcp-creds/gcp.json" $storage.gcs.credentialsJsonPath | quote }}
GCS_CREDENTIALS_SECRET_NAME: {{ include "airbyte.secretName" (list . (default $storage.secretName $storage.gcs.credentialsSecretName)) | quote }}
{{- end }}
{{- end }}

{{- define "airbyte.secrets.storage" -}}
{{- $storage := .Values.global.storage -}}
{{- $secret := include "airbyte.secretName" (list . $storage.secretName) -}}
{{- if eq $storage.type "s3" }}
AWS_ACCESS_KEY_ID: {secret: {{ $secret }}, key: {{ default "AWS_ACCESS_KEY_ID" $storage.s3.accessKeyIdSecretKey }}}
AWS_SECRET_ACCESS_KEY: {secret: {{ $secret }}, key: {{ default "AWS_SECRET_ACCESS_KEY" $storage.s3.secretAccessKeySecretKey }}}
{{- else if eq $storage.type "minio" }}
AWS_ACCESS_KEY_ID: {secret: {{ $secret }}, key: {{ default "AWS_ACCESS_KEY_ID" $storage.minio.accessKeyIdSecretKey }}}
AWS_SECRET_ACCESS_KEY: {secret: {{ $secret }}, key: {{ default "AWS_SECRET_ACCESS_KEY" $storage.minio.secretAccessKeySecretKey }}}
{{- else if eq $storage.type "gcs" }}
GOOGLE_APPLICATION_CREDENTIALS_JSON: {secret: {{ $secret }}, key: {{ default "GOOGLE_APPLICATION_CREDENTIALS_JSON" $storage.gcs.credentialsJsonSecretKey }}}
{{- else if eq $storage.type "azure" }}
AZURE_STORAGE_CONNECTION_STRING: {secret: {{ $secret }}, key: {{ default "AZURE_STORAGE_CONNECTION_STRING" $storage.azure.connectionStringSecretKey }}}
{{- end }}
{{- end }}

{{- define "airbyte.settings.secretsManager" -}}
{{- $manager := .Values.global.secretsManager -}}
{{- $secret := include "airbyte.secretName" (list . $manager.secretName) -}}
SECRET_PERSISTENCE: {{ $manager.type | quote }}
{{- if eq $manager.type "VAULT" }}
VAULT_ADDRESS: {{ $manager.vault.address | quote }}
VAULT_PREFIX: {{ default "secret/" $manager.vault.prefix | quote }}
VAULT_AUTH_TOKEN_REF_NAME: {{ default $secret $manager.vault.authTokenRefName | quote }}
VAULT_AUTH_TOKEN_REF_KEY: {{ default "VAULT_AUTH_TOKEN" $manager.vault.authTokenSecretKey | quote }}
{{- else if eq $manager.type "GOOGLE_SECRET_MANAGER" }}
SECRET_STORE_GCP_PROJECT_ID: {{ $manager.googleSecretManager.projectId | quote }}
SECRET_STORE_GCP_REGION: {{ $manager.googleSecretManager.region | quote }}
SECRET_STORE_GCP_SECRET_NAME: {{ $secret | quote }}
SECRET_STORE_GCP_SECRET_KEY: {{ default "SECRET_STORE_GCP_CREDENTIALS" $manager.googleSecretManager.credentialsSecretKey | quote }}
{{- else if eq $manager.type "AWS_SECRET_MANAGER" }}
AWS_SECRET_MANAGER_REGION: {{ $manager.awsSecretManager.region | quote }}
AWS_KMS_KEY_ARN: {{ $manager.awsSecretManager.kmsArn | quote }}
AWS_SECRET_MANAGER_SECRET_TAGS: {{ include "airbyte.tags" $manager.awsSecretManager.tags | quote }}
{{- else if eq $manager.type "AZURE_KEY_VAULT" }}
AB_AZURE_KEY_VAULT_VAULT_URL: {{ $manager.azureKeyVault.vaultUrl | quote }}
AB_AZURE_KEY_VAULT_TENANT_ID: {{ $manager.azureKeyVault.tenantId | quote }}
AB_AZURE_KEY_VAULT_TAGS: {{ $manager.azureKeyVault.tags | quote }}
AB_AZURE_KEY_CLIENT_ID_REF_NAME: {{ $secret | quote }}
AB_AZURE_KEY_CLIENT_ID_REF_KEY: {{ default "AB_AZURE_KEY_VAULT_CLIENT_ID" $manager.azureKeyVault.clientIdSecretKey | quote }}
AB_AZURE_KEY_CLIENT_SECRET_REF_NAME: {{ $secret | quote }}
AB_AZURE_KEY_CLIENT_SECRET_REF_KEY: {{ default "AB_AZURE_KEY_VAULT_CLIENT_SECRET" $manager.azureKeyVault.clientSecretSecretKey | quote }}
{{- end }}
{{- end }}

{{- define "airbyte.secrets.secretsManager" -}}
{{- $manager := .Values.global.secretsManager -}}
{{- $secret := include "airbyte.secretName" (list . $manager.secretName) -}}
{{- if eq $manager.type "VAULT" }}
VAULT_AUTH_TOKEN: {secret: {{ $secret }}, key: {{ default "VAULT_AUTH_TOKEN" $manager.vault.authTokenSecretKey }}}
{{- else if eq $manager.type "GOOGLE_SECRET_MANAGER" }}
SECRET_STORE_GCP_CREDENTIALS: {secret: {{ $secret }}, key: {{ default "SECRET_STORE_GCP_CREDENTIALS" $manager.googleSecretManager.credentialsSecretKey }}}
{{- else if eq $manager.type "AWS_SECRET_MANAGER" }}
AWS_SECRET_MANAGER_ACCESS_KEY_ID: {secret: {{ $secret }}, key: {{ default "AWS_SECRET_MANAGER_ACCESS_KEY_ID" $manager.awsSecretManager.accessKeyIdSecretKey }}}
AWS_SECRET_MANAGER_SECRET_ACCESS_KEY: {secret: {{ $secret }}, key: {{ default "AWS_SECRET_MANAGER_SECRET_ACCESS_KEY" $manager.awsSecretManager.secretAccessKeySecretKey }}}
{{- else if eq $manager.type "AZURE_KEY_VAULT" }}
AB_AZURE_KEY_VAULT_CLIENT_ID: {secret: {{ $secret }}, key: {{ default "AB_AZURE_KEY_VAULT_CLIENT_ID" $manager.azureKeyVault.clientIdSecretKey }}}
AB_AZURE_KEY_VAULT_CLIENT_SECRET: {secret: {{ $secret }}, key: {{ default "AB_AZURE_KEY_VAULT_CLIENT_SECRET" $manager.azureKeyVault.clientSecretSecretKey }}}
{{- end }}
{{- end }}

{{- define "airbyte.tags" -}}
{{- $pairs := list -}}
{{- range . }}{{ $pairs = append $pairs (printf "%v=%v" .key .value) }}{{ end -}}
{{ join "," $pairs }}
{{- end }}
