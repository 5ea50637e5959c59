{{/* Names and labels. */}}
{{- define "gatehouse.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 40 characters: the longest suffix, "-dataplane-admin", must fit into 63. */}}
{{- define "gatehouse.fullname" -}}
{{- $name := include "gatehouse.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $full .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "gatehouse.controller" -}}{{ include "gatehouse.fullname" . }}-controller{{- end -}}
{{- define "gatehouse.dataplane" -}}{{ include "gatehouse.fullname" . }}-dataplane{{- end -}}

{{- define "gatehouse.controller.account" -}}
{{- with .Values.controller.serviceAccount -}}
{{- ternary (default (include "gatehouse.controller" $) .name) (default "default" .name) .create -}}
{{- end -}}
{{- end -}}

{{- define "gatehouse.dataplane.account" -}}
{{- with .Values.dataPlane.serviceAccount -}}
{{- ternary (default (include "gatehouse.dataplane" $) .name) (default "default" .name) .create -}}
{{- end -}}
{{- end -}}

{{/* Takes (dict "root" $ "component" NAME): what never changes, for selectors. */}}
{{- define "gatehouse.selector" -}}
app.kubernetes.io/name: {{ include "gatehouse.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "gatehouse.labels" -}}
{{ include "gatehouse.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: gatehouse
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name (.root.Chart.Version | replace "+" "_") }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Takes (dict "root" $ "image" IMAGE). */}}
{{- define "gatehouse.image" -}}
{{- with .image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ default $.root.Chart.AppVersion .tag }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Takes (dict "root" $ "component" NAME): one pod per node and per zone, as far as that works. */}}
{{- define "gatehouse.spread" -}}
{{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
- maxSkew: 1
  topologyKey: {{ $key }}
  whenUnsatisfiable: ScheduleAnyway
  matchLabelKeys: [pod-template-hash]
  labelSelector:
    matchLabels: {{- include "gatehouse.selector" $ | nindent 6 }}
{{- end }}
{{- end -}}
