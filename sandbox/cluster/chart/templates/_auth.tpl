{{/* Signing in. The bootloader reads one Secret, and adds the keys of the data plane to another, which all read. */}}

{{- define "airbyte.auth.managedSecret" -}}
{{ default "airbyte-auth-secrets" .Values.global.auth.managedSecretName }}
{{- end }}

{{- define "airbyte.settings.bootstrap" -}}
{{- $admin := .Values.global.auth.instanceAdmin -}}
{{- $security := .Values.global.auth.security -}}
AB_AUTH_SECRET_CREATION_ENABLED: {{ dig "secretCreationEnabled" true .Values.global.auth | quote }}
AB_KUBERNETES_SECRET_NAME: {{ include "airbyte.auth.managedSecret" . | quote }}
AB_INSTANCE_ADMIN_PASSWORD_SECRET_KEY: {{ default "instance-admin-password" $admin.passwordSecretKey | quote }}
AB_INSTANCE_ADMIN_CLIENT_ID_SECRET_KEY: {{ default "instance-admin-client-id" $admin.clientIdSecretKey | quote }}
AB_INSTANCE_ADMIN_CLIENT_SECRET_SECRET_KEY: {{ default "instance-admin-client-secret" $admin.clientSecretSecretKey | quote }}
AB_JWT_SIGNATURE_SECRET_KEY: {{ default "jwt-signature-secret" $security.jwtSignatureSecretKey | quote }}
DATAPLANE_CLIENT_ID_SECRET_KEY: {{ default "dataplane-client-id" .Values.global.auth.dataPlane.clientIdSecretKey | quote }}
DATAPLANE_CLIENT_SECRET_SECRET_KEY: {{ default "dataplane-client-secret" .Values.global.auth.dataPlane.clientSecretSecretKey | quote }}
IDENTITY_PROVIDER_TYPE: {{ default "simple" .Values.global.auth.identityProvider.type | quote }}
{{- end }}

{{/* What the bootloader starts from. */}}
{{- define "airbyte.secrets.bootstrap" -}}
{{- $admin := .Values.global.auth.instanceAdmin -}}
{{- $secret := include "airbyte.secretName" (list . (default .Values.global.auth.secretName $admin.secretName)) -}}
AB_INSTANCE_ADMIN_PASSWORD: {secret: {{ $secret }}, key: {{ default "AB_INSTANCE_ADMIN_PASSWORD" $admin.passwordSecretKey }}}
AB_INSTANCE_ADMIN_CLIENT_ID: {secret: {{ $secret }}, key: {{ default "AB_INSTANCE_ADMIN_CLIENT_ID" $admin.clientIdSecretKey }}}
AB_INSTANCE_ADMIN_CLIENT_SECRET: {secret: {{ $secret }}, key: {{ default "AB_INSTANCE_ADMIN_CLIENT_SECRET" $admin.clientSecretSecretKey }}}
AB_JWT_SIGNATURE_SECRET: {secret: {{ $secret }}, key: {{ default "AB_JWT_SIGNATURE_SECRET" .Values.global.auth.security.jwtSignatureSecretKey }}}
{{- end }}

{{/* Everyone's signing key. It has a key of its own to name it, which must agree with the bootloader's. */}}
{{- define "airbyte.secrets.signature" -}}
{{- $key := default "jwt-signature-secret" .Values.global.auth.security.jwtSignatureSecretSecretKey -}}
AB_JWT_SIGNATURE_SECRET: {secret: {{ include "airbyte.auth.managedSecret" . }}, key: {{ $key }}}
{{- end }}

{{- define "airbyte.secrets.admin" -}}
{{- $secret := include "airbyte.auth.managedSecret" . -}}
{{- $admin := .Values.global.auth.instanceAdmin -}}
AB_INSTANCE_ADMIN_PASSWORD: {secret: {{ $secret }}, key: {{ default "instance-admin-password" $admin.passwordSecretKey }}}
AB_INSTANCE_ADMIN_CLIENT_ID: {secret: {{ $secret }}, key: {{ default "instance-admin-client-id" $admin.clientIdSecretKey }}}
AB_INSTANCE_ADMIN_CLIENT_SECRET: {secret: {{ $secret }}, key: {{ default "instance-admin-client-secret" $admin.clientSecretSecretKey }}}
{{ include "airbyte.secrets.signature" . }}
{{- end }}

{{/* The launcher's own credentials, which only the bootloader knows. */}}
{{- define "airbyte.secrets.dataPlane" -}}
{{- $plane := .Values.workloadLauncher.dataPlane -}}
{{- $common := default (include "airbyte.auth.managedSecret" .) $plane.secretName -}}
DATAPLANE_CLIENT_ID: {secret: {{ default $common $plane.clientIdSecretName }}, key: {{ default "dataplane-client-id" $plane.clientIdSecretKey }}}
DATAPLANE_CLIENT_SECRET: {secret: {{ default $common $plane.clientSecretSecretName }}, key: {{ default "dataplane-client-secret" $plane.clientSecretSecretKey }}}
{{- end }}
