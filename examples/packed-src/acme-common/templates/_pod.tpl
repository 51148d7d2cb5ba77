{{- define "acme.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: acme-platform
{{- end -}}

{{/* The name under which the service's secrets stand in Vault. */}}
{{- define "acme.serviceName" -}}
{{- $settings := include "acme.loader.settings" . | fromYaml -}}
{{- default .Chart.Name $settings.serviceName -}}
{{- end -}}

{{/* dict root, image {registry, repository, tag} */}}
{{- define "acme.image" -}}
{{- $registry := default (dig "registry" "" (default dict .root.Values.global)) .image.registry -}}
{{- if $registry }}{{ $registry }}/{{ end }}{{ .image.repository }}:{{ .image.tag }}
{{- end -}}

{{/*
A secret value that survives upgrades: what the cluster's Secret holds, or else `fresh`. Without a
cluster `lookup` finds nothing.
dict root, secret, key, fresh
*/}}
{{- define "acme.keep" -}}
{{- $existing := lookup "v1" "Secret" .root.Release.Namespace .secret -}}
{{- if hasKey (dig "data" dict $existing) .key -}}
{{- index $existing.data .key | b64dec -}}
{{- else -}}
{{- .fresh -}}
{{- end -}}
{{- end -}}

{{/*
How one variable refers to another in a plain value: Kubernetes expands $(NAME), but only from
variables it knows; with the loader on, the start command expands the shell's form.
dict root, name
*/}}
{{- define "acme.ref" -}}
{{- if include "acme.loader.enabled" .root -}}${ {{- .name -}} }{{- else -}}$({{ .name }}){{- end -}}
{{- end -}}

{{/*
The application of this example: tells which variables and files it received and how long they
are, never what they hold.
dict root, block
*/}}
{{- define "acme.report" -}}
{{- $root := .root -}}
{{- $names := list -}}
{{- range .block.secretEnv }}{{ $names = append $names .name }}{{ end -}}
{{- range .block.secretEnvFrom }}{{ $names = concat $names .expects }}{{ end -}}
{{- range $name, $value := .block.env }}{{ $names = append $names $name }}{{ end -}}
{{- $files := list -}}
{{- range $mount := .block.secretFiles -}}
  {{- if $mount.subPath -}}
    {{- $files = append $files $mount.mountPath -}}
  {{- else -}}
    {{- range $mount.items }}{{ $files = append $files (printf "%s/%s" $mount.mountPath .path) }}{{ end -}}
    {{- range $mount.expects }}{{ $files = append $files (printf "%s/%s" $mount.mountPath .) }}{{ end -}}
    {{- range $mount.projected -}}
      {{- range .items }}{{ $files = append $files (printf "%s/%s" $mount.mountPath .path) }}{{ end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
echo "$0 has started"
{{- with $names }}
for name in {{ uniq . | join " " }}; do
  if eval "[ -n \"\${$name+set}\" ]"; then
    eval "echo \"  $name: \${#$name} characters\""
  else
    echo "  $name: not set"
  fi
done
{{- end }}
{{- with $files }}
for file in {{ uniq . | join " " }}; do
  if [ -r "$file" ]; then
    echo "  $file: $(($(wc -c < "$file"))) bytes"
  else
    echo "  $file: missing"
  fi
done
{{- end }}
{{- end -}}

{{/*
env and envFrom of a container. A block's entries:
  env            name: value (templates allowed), plain
  configEnvFrom  names of ConfigMaps
  secretEnv      name, secret, key, optional; `keep` for one that stays in Kubernetes
  secretEnvFrom  secret, prefix, optional, expects (the variables it amounts to)
dict root, block
*/}}
{{- define "acme.env" -}}
{{- $root := .root -}}
{{- $on := include "acme.loader.enabled" $root -}}
{{- $refs := list -}}
{{- range .block.secretEnv }}{{ if or .keep (not $on) }}{{ $refs = append $refs . }}{{ end }}{{ end -}}
{{- if or $refs .block.env }}
env:
  {{- range $refs }}
  - name: {{ .name }}
    valueFrom:
      secretKeyRef:
        name: {{ tpl .secret $root }}
        key: {{ .key }}
        {{- if .optional }}
        optional: true
        {{- end }}
  {{- end }}
  {{- range $name, $value := .block.env }}
  - name: {{ $name }}
    value: {{ tpl $value $root | quote }}
  {{- end }}
{{- end }}
{{- $sources := ternary list (default list .block.secretEnvFrom) (eq $on "true") }}
{{- if or $sources .block.configEnvFrom }}
envFrom:
  {{- range .block.configEnvFrom }}
  - configMapRef:
      name: {{ . }}
  {{- end }}
  {{- range $sources }}
  - secretRef:
      name: {{ tpl .secret $root }}
      {{- if .optional }}
      optional: true
      {{- end }}
    {{- with .prefix }}
    prefix: {{ . }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end -}}

{{/*
Mounts of a container. With the loader on, the loaded files stand wherever a secret's files stood.
A block's secretFiles: volume, mountPath, subPath, secret and items, or projected (secret and items each), optional;
`keep` for one that stays in Kubernetes.
dict root, block
*/}}
{{- define "acme.mounts" -}}
{{- $on := include "acme.loader.enabled" .root -}}
{{- $output := include "acme.loader.output" .root | fromYaml -}}
{{- if $on }}
- name: loaded-env
  mountPath: {{ dir $output.envFile }}
  readOnly: true
- name: loaded-files
  mountPath: {{ $output.filesPath }}
  readOnly: true
{{- end }}
{{- range .block.secretFiles }}
- name: {{ ternary "loaded-files" .volume (and (eq $on "true") (not .keep)) }}
  mountPath: {{ .mountPath }}
  {{- with .subPath }}
  subPath: {{ . }}
  {{- end }}
  readOnly: true
{{- end }}
{{- range .block.dataMounts }}
- name: {{ .name }}
  mountPath: {{ .mountPath }}
{{- end }}
{{- end -}}

{{/* dict root, name, block */}}
{{- define "acme.container" -}}
{{- $root := .root -}}
- name: {{ .name }}
  image: {{ include "acme.image" (dict "root" $root "image" $root.Values.image) | quote }}
  imagePullPolicy: IfNotPresent
  command: ["sh", "-c"]
  args:
    {{- if include "acme.loader.enabled" $root }}
    - |-
      {{- include "acme.loader.start" $root | nindent 6 }}
    - {{ .name }}
    - sh
    - -c
    {{- end }}
    - |-
      {{- include "acme.report" . | nindent 6 }}
    - {{ .name }}
  {{- with include "acme.env" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with include "acme.mounts" . | trim }}
  volumeMounts:
    {{- . | nindent 4 }}
  {{- end }}
  {{- with .block.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* The volumes that the blocks' secretFiles name, as far as they are Kubernetes Secrets. */}}
{{- define "acme.secretVolumes" -}}
{{- $root := .root -}}
{{- $on := include "acme.loader.enabled" $root -}}
{{- $done := dict -}}
{{- range .blocks }}
{{- range .secretFiles }}
{{- if and (or .keep (not $on)) (not (hasKey $done .volume)) }}
{{- $_ := set $done .volume true }}
- name: {{ .volume }}
  {{- if .projected }}
  projected:
    defaultMode: 0440
    sources:
      {{- range .projected }}
      - secret:
          name: {{ tpl .secret $root }}
          {{- with .items }}
          items:
            {{- toYaml . | nindent 12 }}
          {{- end }}
      {{- end }}
  {{- else }}
  secret:
    secretName: {{ tpl .secret $root }}
    defaultMode: 0440
    {{- if .optional }}
    optional: true
    {{- end }}
    {{- with .items }}
    items:
      {{- toYaml . | nindent 6 }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/*
A pod's spec.
dict root, name, block, init (list of dicts name, block), volumes (further ones), restartPolicy
*/}}
{{- define "acme.pod" -}}
{{- $root := .root -}}
{{- $on := include "acme.loader.enabled" $root -}}
{{- $settings := include "acme.loader.settings" $root | fromYaml -}}
{{- $blocks := list .block -}}
{{- range .init }}{{ $blocks = append $blocks .block }}{{ end -}}
serviceAccountName: {{ dig "vault" "auth" "serviceAccount" "" $settings | default "harness-default" }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65534
  runAsGroup: 65534
  fsGroup: 65534
{{- with dig "imagePullSecrets" list (default dict $root.Values.global) }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if or $on .init }}
initContainers:
  {{- if $on }}
  {{- include "acme.loader.initContainer" $root | nindent 2 }}
  {{- end }}
  {{- range .init }}
  {{- include "acme.container" (dict "root" $root "name" .name "block" .block) | nindent 2 }}
  {{- end }}
{{- end }}
containers:
  {{- include "acme.container" (dict "root" $root "name" .name "block" .block) | nindent 2 }}
{{- $volumes := list }}
{{- if $on }}{{ $volumes = append $volumes (include "acme.loader.volumes" $root) }}{{ end }}
{{- $volumes = append $volumes (include "acme.secretVolumes" (dict "root" $root "blocks" $blocks) | trim) }}
{{- with .volumes }}{{ $volumes = append $volumes (toYaml .) }}{{ end }}
{{- with compact $volumes }}
volumes:
  {{- join "\n" . | nindent 2 }}
{{- end }}
{{- with .restartPolicy }}
restartPolicy: {{ . }}
{{- end }}
{{- end -}}
