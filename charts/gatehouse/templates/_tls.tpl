{{/* The Secret with the controller's certificate. */}}
{{- define "gatehouse.tls.secret" -}}
{{- default (printf "%s-tls" (include "gatehouse.controller" .)) .Values.controller.tls.existingSecret -}}
{{- end -}}

{{/* "true" when the controllers make the certificate. */}}
{{- define "gatehouse.tls.own" -}}
{{- with .Values.controller.tls -}}
{{- if not (or .existingSecret .certManager.enabled) -}}true{{- end -}}
{{- end -}}
{{- end -}}

{{/* Names that the certificate is for, as JSON. */}}
{{- define "gatehouse.tls.names" -}}
{{- $name := include "gatehouse.controller" . -}}
{{- $ns := .Release.Namespace -}}
{{- list $name (printf "%s.%s" $name $ns) (printf "%s.%s.svc" $name $ns) (printf "%s.%s.svc.%s" $name $ns .Values.clusterDomain) | toJson -}}
{{- end -}}
