{{/* Names, labels and images. Each takes the root context, or a list that begins with it. */}}

{{- define "airbyte.name" -}}
{{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "airbyte.fullname" -}}
{{- $name := include "airbyte.name" . -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains $name .Release.Name -}}
{{ .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "airbyte.namespace" -}}
{{ default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{/* The chart's own Secret and ConfigMaps. */}}
{{- define "airbyte.secrets" -}}
{{ .Release.Name }}-airbyte-secrets
{{- end }}

{{- define "airbyte.environment" -}}
{{ .Release.Name }}-airbyte-env
{{- end }}

{{- define "airbyte.telemetry" -}}
{{ .Release.Name }}-airbyte-telemetry-env
{{- end }}

{{/* What pods of a component are found by: (list root component). */}}
{{- define "airbyte.selector" -}}
{{- $root := index . 0 -}}
airbyte: {{ index . 1 }}
app.kubernetes.io/name: {{ index . 1 }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
{{- end }}

{{/* The same with a component's extra ones, and only then with those of all: (list root component extra). */}}
{{- define "airbyte.selectorOf" -}}
{{- $root := index . 0 -}}
{{ include "airbyte.selector" . }}
{{- with index . 2 }}
{{ merge dict . $root.Values.global.extraSelectorLabels | toYaml }}
{{- end }}
{{- end }}

{{/* Labels of a component's object, likewise: (list root component extra). */}}
{{- define "airbyte.labelsOf" -}}
{{- $root := index . 0 -}}
{{ include "airbyte.labels" . }}
{{- with index . 2 }}
{{ merge dict . (default dict $root.Values.global.extraLabels) | toYaml }}
{{- end }}
{{- end }}

{{/* (list root component) */}}
{{- define "airbyte.labels" -}}
{{- $root := index . 0 -}}
{{ include "airbyte.selector" . }}
helm.sh/chart: {{ $root.Chart.Name }}-{{ $root.Chart.Version }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
{{- with $root.Values.extraLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The bundled database and object store have no `airbyte` label: (list root name). */}}
{{- define "airbyte.bundled.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ index . 1 }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
{{- end }}

{{- define "airbyte.bundled.labels" -}}
{{- $root := index . 0 -}}
{{ include "airbyte.bundled.selector" . }}
helm.sh/chart: {{ $root.Chart.Name }}-{{ $root.Chart.Version }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
{{- end }}

{{/* (list root image), where image has repository and perhaps tag. */}}
{{- define "airbyte.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- $tag := default (default $root.Chart.AppVersion $root.Values.global.image.tag) $image.tag -}}
{{ include "airbyte.registry" (list $root (printf "%s:%s" $image.repository $tag)) }}
{{- end }}

{{/* An image's name below the configured registry: (list root image). */}}
{{- define "airbyte.registry" -}}
{{- $root := index . 0 -}}
{{- with $root.Values.global.image.registry }}{{ trimSuffix "/" . }}/{{ end }}{{ index . 1 }}
{{- end }}

{{/* A job image, given as a template: (list root text). */}}
{{- define "airbyte.jobImage" -}}
{{- include "airbyte.registry" (list (index . 0) (tpl (index . 1) (index . 0))) }}
{{- end }}

{{- define "airbyte.pullSecrets" -}}
{{- with .Values.global.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}
