{{/*
The one pod that all components are made from. It takes a map:

  root       the root context
  values     the component's values
  container  the container's name
  topics     the settings it is given as environment variables
  secrets    the secrets it is given as environment variables
  renamed    {environment variable: setting} for settings that it knows under other names
  java       {port, debug} of one of Airbyte's Java programs: its management port, and whether one may debug it
  tracer     what it is called by a tracer, if it is to report to one
  namespaced whether it is told its namespace
  ownSecret  the Secret that the values' `secrets` are taken from
  ports      the container's other ports
  liveness, readiness   {timing, and path and port or command}, or nothing
  volumes, mounts
*/}}

{{- define "airbyte.pod" -}}
{{- $root := .root -}}
{{- $values := .values -}}
serviceAccountName: {{ default $root.Values.global.serviceAccountName $values.serviceAccountName }}
{{- if .automount }}
automountServiceAccountToken: true
{{- end }}
{{- include "airbyte.pullSecrets" $root }}
securityContext: {{ toYaml $values.podSecurityContext | nindent 2 }}
{{- with $values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with $values.extraInitContainers }}
initContainers: {{ toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: {{ .container }}
    image: {{ include "airbyte.image" (list $root $values.image) | quote }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    {{- with include "airbyte.pod.ports" . | fromYamlArray }}
    ports: {{ toYaml . | nindent 6 }}
    {{- end }}
    {{- if .tracer }}
    envFrom:
      - configMapRef:
          name: {{ include "airbyte.telemetry" $root }}
    {{- end }}
    env: {{ include "airbyte.pod.env" . | nindent 6 }}
    {{- with .liveness }}
    livenessProbe: {{ include "airbyte.pod.probe" . | nindent 6 }}
    {{- end }}
    {{- with .readiness }}
    readinessProbe: {{ include "airbyte.pod.probe" . | nindent 6 }}
    {{- end }}
    resources: {{ toYaml $values.resources | nindent 6 }}
    securityContext: {{ toYaml $values.containerSecurityContext | nindent 6 }}
    {{- with .mounts }}
    volumeMounts: {{ toYaml . | nindent 6 }}
    {{- end }}
  {{- with $values.extraContainers }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- with $root.Values.global.extraContainers }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .volumes }}
volumes: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "airbyte.pod.ports" -}}
{{- $root := .root -}}
{{- with .ports }}
{{- toYaml . }}
{{- end }}
{{- with .java }}
- {name: management, containerPort: {{ .port }}, protocol: TCP}
{{- if or .debug $root.Values.global.debug.enabled }}
- {name: debug, containerPort: 5005, protocol: TCP}
{{- end }}
{{- end }}
{{- if not (or .ports .java) }}[]{{ end }}
{{- end }}

{{/* Environment variables: what is derived, and after it what the values add; a name twice stays there twice. */}}
{{- define "airbyte.pod.env" -}}
{{- $root := .root -}}
{{- range $topic := .topics }}
{{- range $key, $value := include (printf "airbyte.settings.%s" $topic) $root | fromYaml }}
- name: {{ $key }}
  valueFrom: {configMapKeyRef: {name: {{ include "airbyte.environment" $root }}, key: {{ $key }}}}
{{- end }}
{{- end }}
{{- range $name, $key := .renamed }}
- name: {{ $name }}
  valueFrom: {configMapKeyRef: {name: {{ include "airbyte.environment" $root }}, key: {{ $key }}}}
{{- end }}
{{- range $topic := .secrets }}
{{- range $key, $source := include (printf "airbyte.secrets.%s" $topic) $root | fromYaml }}
- name: {{ $key }}
  valueFrom: {secretKeyRef: {name: {{ $source.secret }}, key: {{ $source.key }}}}
{{- end }}
{{- end }}
{{- with .java }}
{{- $debug := or .debug $root.Values.global.debug.enabled }}
- name: JAVA_OPTS
  value: {{ prepend $root.Values.global.java.opts (printf "-XX:+ExitOnOutOfMemoryError -XX:MaxRAMPercentage=75.0%s" (ternary " -agentlib:jdwp=transport=dt_socket,address=*:5005,server=y,suspend=n" "" $debug)) | join " " | quote }}
{{- end }}
{{- with .tracer }}
- name: STATSD_HOST
  valueFrom: {fieldRef: {fieldPath: status.hostIP}}
- name: DD_AGENT_HOST
  valueFrom: {fieldRef: {fieldPath: status.hostIP}}
- name: DD_SERVICE
  value: {{ . | quote }}
{{- end }}
{{- if .namespaced }}
- name: JOB_KUBE_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
{{- end }}
{{- $secret := .ownSecret }}
{{- range $key, $_ := .values.secrets }}
- name: {{ $key }}
  valueFrom: {secretKeyRef: {name: {{ $secret }}, key: {{ $key }}}}
{{- end }}
{{- range $key, $value := .values.env_vars }}
- name: {{ $key }}
  value: {{ $value | quote }}
{{- end }}
{{- range $key, $value := $root.Values.global.env_vars }}
- name: {{ $key }}
  value: {{ $value | quote }}
{{- end }}
{{- with .values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* A probe: {path and port, or command; timing}, where timing is the values of the probe. */}}
{{- define "airbyte.pod.probe" -}}
{{- if .command -}}
exec:
  command: {{ toYaml .command | nindent 4 }}
{{- else -}}
httpGet:
  path: {{ .path }}
  port: {{ .port }}
{{- end }}
initialDelaySeconds: {{ .timing.initialDelaySeconds }}
periodSeconds: {{ .timing.periodSeconds }}
timeoutSeconds: {{ .timing.timeoutSeconds }}
successThreshold: {{ .timing.successThreshold }}
failureThreshold: {{ .timing.failureThreshold }}
{{- end }}

{{/*
A Deployment around the pod: besides the pod's map it takes component, strategy, minReadySeconds,
topologySpreadConstraints, extraLabels and extraSelectorLabels.
*/}}
{{- define "airbyte.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .root.Release.Name }}-{{ .component }}
  namespace: {{ include "airbyte.namespace" .root }}
  labels: {{ include "airbyte.labelsOf" (list .root .component .extraLabels) | nindent 4 }}
  {{- with .values.annotations }}
  annotations: {{ toYaml . | nindent 4 }}
  {{- end }}
spec:
  replicas: {{ .values.replicaCount }}
  {{- with .minReadySeconds }}
  minReadySeconds: {{ . }}
  {{- end }}
  {{- with .strategy }}
  strategy: {{ toYaml . | nindent 4 }}
  {{- end }}
  selector:
    matchLabels: {{ include "airbyte.selectorOf" (list .root .component .extraSelectorLabels) | nindent 6 }}
  template:
    metadata:
      labels: {{ include "airbyte.selectorOf" (list .root .component .extraSelectorLabels) | nindent 8 }}
        {{- with .values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with .values.podAnnotations }}
      annotations: {{ toYaml . | nindent 8 }}
      {{- end }}
    spec: {{ include "airbyte.pod" (set . "ownSecret" (default (printf "%s-secrets" .component) .ownSecret)) | nindent 6 }}
      {{- with .topologySpreadConstraints }}
      topologySpreadConstraints: {{ toYaml . | nindent 8 }}
      {{- end }}
{{- end }}
