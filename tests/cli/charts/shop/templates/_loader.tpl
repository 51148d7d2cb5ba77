{{- define "shop.on" -}}
{{- if eq (toString .Values.global.externalSecretsLoader.enabled) "true" -}}true{{- end -}}
{{- end -}}

{{- define "shop.loader" -}}
{{- $vault := .Values.global.externalSecretsLoader.vault -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Chart.Name }}-secrets-loader
data:
  secrets-loader-config.yaml: |
    provider: "vault"
    vault:
      address: {{ $vault.address | quote }}
      engine: {{ $vault.engine | quote }}
      basePath: {{ $vault.basePath | quote }}
      tlsDisabled: "false"
      auth:
        method: {{ $vault.auth.method | quote }}
        role: {{ $vault.auth.role | default "" | quote }}
    serviceName: {{ .Chart.Name | quote }}
    secrets:
      envSecrets: {enabled: "true", outputFile: "/shared/env/.env"}
      fileSecrets: {enabled: "true", outputPath: "/shared/files"}
    databases: []
{{- end -}}
