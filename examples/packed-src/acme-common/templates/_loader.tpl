{{/*
Lays the dictionary `top` over `base`, key by key and in place. Sprig's mergeOverwrite would do,
were it not that it takes `false` and "" for absent: a service could not switch the loader off.
*/}}
{{- define "acme.overlay" -}}
{{- $base := .base -}}
{{- range $key, $value := .top -}}
  {{- if and (kindIs "map" $value) (kindIs "map" (get $base $key)) -}}
    {{- include "acme.overlay" (dict "base" (get $base $key) "top" $value) -}}
  {{- else if not (kindIs "invalid" $value) -}}
    {{- $_ := set $base $key $value -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* The loader's settings for this chart: the global block under the chart's own, as YAML. */}}
{{- define "acme.loader.settings" -}}
{{- $settings := deepCopy (dig "externalSecretsLoader" dict (default dict .Values.global)) -}}
{{- include "acme.overlay" (dict "base" $settings "top" (default dict .Values.externalSecretsLoader)) -}}
{{- toYaml $settings -}}
{{- end -}}

{{/* "true" with the loader on, nothing with it off: made for `if include`. */}}
{{- define "acme.loader.enabled" -}}
{{- $settings := include "acme.loader.settings" . | fromYaml -}}
{{- if eq (toString $settings.enabled) "true" -}}true{{- end -}}
{{- end -}}

{{- define "acme.loader.configName" -}}
{{- $settings := include "acme.loader.settings" . | fromYaml -}}
{{- default (printf "%s-secrets-loader" .Chart.Name) $settings.configName -}}
{{- end -}}

{{/* Where the loader writes, as YAML: envEnabled, envFile, filesEnabled, filesPath. */}}
{{- define "acme.loader.output" -}}
{{- $secrets := dig "secrets" dict (include "acme.loader.settings" . | fromYaml) -}}
envEnabled: {{ dig "envSecrets" "enabled" true $secrets | toString | quote }}
envFile: {{ dig "envSecrets" "outputFile" "/shared/env/.env" $secrets | quote }}
filesEnabled: {{ dig "fileSecrets" "enabled" true $secrets | toString | quote }}
filesPath: {{ dig "fileSecrets" "outputPath" "/shared/files" $secrets | quote }}
{{- end -}}

{{/* The CA's file name in its ConfigMap or Secret; nothing where no CA is mounted. */}}
{{- define "acme.loader.caKey" -}}
{{- $ca := dig "vault" "caCert" dict (include "acme.loader.settings" . | fromYaml) -}}
{{- if $ca.mountPath -}}
  {{- if $ca.secretName -}}
    {{- default "ca.crt" $ca.secretKey -}}
  {{- else if $ca.configMapName -}}
    {{- default "ca.crt" $ca.configMapKey -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/*
The ConfigMap that the loader reads. Booleans are quoted and what is unset is an empty string: that
is the shape that loaders in the field have to understand.
*/}}
{{- define "acme.loader.configmap" -}}
{{- if include "acme.loader.enabled" . -}}
{{- $settings := include "acme.loader.settings" . | fromYaml -}}
{{- $output := include "acme.loader.output" . | fromYaml -}}
{{- $vault := default dict $settings.vault -}}
{{- $auth := default dict $vault.auth -}}
{{- $method := default "kubernetes" $auth.method -}}
{{- $caKey := include "acme.loader.caKey" . -}}
{{- $secrets := default dict $settings.secrets -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "acme.loader.configName" . }}
  labels:
    {{- include "acme.labels" . | nindent 4 }}
data:
  secrets-loader-config.yaml: |
    provider: {{ default "vault" $settings.provider | quote }}
    vault:
      address: {{ required "global.externalSecretsLoader.vault.address is needed with the loader on" $vault.address | quote }}
      engine: {{ default "secret" $vault.engine | quote }}
      basePath: {{ default "harness" $vault.basePath | quote }}
      tlsDisabled: {{ or (eq (toString $vault.tlsDisabled) "true") (eq (toString $vault.insecure) "true") | quote }}
      caCert: {{ ternary (printf "%s/%s" (dig "caCert" "mountPath" "" $vault) $caKey) "" (ne $caKey "") | quote }}
      auth:
        method: {{ $method | quote }}
        {{- if eq $method "kubernetes" }}
        role: {{ default "" $auth.role | quote }}
        path: {{ default "" $auth.path | quote }}
        {{- else if eq $method "approle" }}
        roleId: {{ default "" $auth.roleId | quote }}
        secretId: {{ default "" $auth.secretId | quote }}
        {{- else }}
        token: {{ default "" $auth.token | quote }}
        {{- end }}
    serviceName: {{ include "acme.serviceName" . | quote }}
    secrets:
      envSecrets:
        enabled: {{ $output.envEnabled | quote }}
        outputFile: {{ $output.envFile | quote }}
        categories: {{ dig "envSecrets" "categories" (list "database" "api") $secrets | toJson }}
      fileSecrets:
        enabled: {{ $output.filesEnabled | quote }}
        outputPath: {{ $output.filesPath | quote }}
        categories: {{ dig "fileSecrets" "categories" (list "config") $secrets | toJson }}
    {{- if .Values.databases }}
    databases:
      {{- range $type, $variables := .Values.databases }}
      {{- $database := dig "databases" $type dict $settings }}
      - type: {{ $type | quote }}
        useDatabaseSecretsEngine: {{ default "false" (toString $database.useDatabaseSecretsEngine) | eq "true" | quote }}
        engine: {{ default "" $database.engine | quote }}
        databaseRole: {{ default "" $database.databaseRole | quote }}
        overridePath: {{ default "" $database.overridePath | quote }}
        basePath: {{ default "" $database.basePath | quote }}
        userEnvSecrets: {{ default list $variables.userEnvSecrets | toJson }}
        passwordEnvSecrets: {{ default list $variables.passwordEnvSecrets | toJson }}
      {{- end }}
    {{- else }}
    databases: []
    {{- end }}
{{- end -}}
{{- end -}}

{{- define "acme.loader.initContainer" -}}
{{- $settings := include "acme.loader.settings" . | fromYaml -}}
{{- $output := include "acme.loader.output" . | fromYaml -}}
{{- $image := default dict $settings.image -}}
- name: secrets-loader
  image: {{ include "acme.image" (dict "root" . "image" $image) | quote }}
  imagePullPolicy: {{ default "IfNotPresent" $image.pullPolicy }}
  command: ["/opt/harness/secrets-manager"]
  args: ["load"]
  env:
    - name: SECRETS_LOADER_CONFIG
      value: /etc/secrets-loader/config.yaml
  volumeMounts:
    - name: secrets-loader-config
      mountPath: /etc/secrets-loader
      readOnly: true
    - name: loaded-env
      mountPath: {{ dir $output.envFile }}
    - name: loaded-files
      mountPath: {{ $output.filesPath }}
    {{- if include "acme.loader.caKey" . }}
    - name: vault-ca
      mountPath: {{ $settings.vault.caCert.mountPath }}
      readOnly: true
    {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65534
    readOnlyRootFilesystem: true
    allowPrivilegeEscalation: false
    capabilities:
      drop: [ALL]
{{- end -}}

{{/* The loader's volumes. What it writes stays in memory: it must not reach a node's disk. */}}
{{- define "acme.loader.volumes" -}}
{{- $settings := include "acme.loader.settings" . | fromYaml -}}
- name: secrets-loader-config
  configMap:
    name: {{ include "acme.loader.configName" . }}
    items:
      - key: secrets-loader-config.yaml
        path: config.yaml
- name: loaded-env
  emptyDir:
    medium: Memory
    sizeLimit: 1Mi
- name: loaded-files
  emptyDir:
    medium: Memory
    sizeLimit: 4Mi
{{- $caKey := include "acme.loader.caKey" . }}
{{- if $caKey }}
- name: vault-ca
  {{- if $settings.vault.caCert.secretName }}
  secret:
    secretName: {{ $settings.vault.caCert.secretName }}
  {{- else }}
  configMap:
    name: {{ $settings.vault.caCert.configMapName }}
  {{- end }}
    items:
      - key: {{ $caKey }}
        path: {{ $caKey }}
{{- end }}
{{- end -}}

{{/*
What `sh -c` runs before the application: reads the loader's variables, expands those that refer to
others by a dollar and braces, and becomes the application (its remaining arguments).
*/}}
{{- define "acme.loader.start" -}}
{{- $output := include "acme.loader.output" . | fromYaml -}}
{{- if eq $output.envEnabled "true" -}}
set -a && . {{ $output.envFile }} && set +a &&
for var in $(env | grep '\${' | cut -d= -f1); do eval "export $var=\"$(eval echo \"\$$var\")\""; done &&
{{ end -}}
exec "$@"
{{- end -}}
