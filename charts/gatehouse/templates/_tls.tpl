{{/* The Secret with the controller's certificate. */}}
{{- define "gatehouse.tls.secret" -}}
{{- default (printf "%s-tls" (include "gatehouse.controller" .)) .Values.controller.tls.existingSecret -}}
{{- end -}}

{{/* "true" when the chart makes the certificate. */}}
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

{{/*
Makes the certificates of this rendering once and keeps them under .Values.made: those of the cluster
as long as they fit, so that an upgrade changes nothing. Where lookup finds nothing (helm template,
GitOps) each rendering makes new ones: use cert-manager or existingSecret there.
*/}}
{{- define "gatehouse.tls.make" -}}
{{- if not (hasKey .Values "made") -}}
{{- $tls := .Values.controller.tls -}}
{{- $day := 86400 -}}
{{- $now := now | unixEpoch | int64 -}}
{{- $names := include "gatehouse.tls.names" . | fromJsonArray -}}
{{- $heldCa := lookup "v1" "Secret" .Release.Namespace (printf "%s-ca" (include "gatehouse.controller" .)) | default dict -}}
{{- $held := lookup "v1" "Secret" .Release.Namespace (include "gatehouse.tls.secret" .) | default dict -}}
{{- $caEnd := dig "metadata" "annotations" "gatehouse.dev/not-after" "0" $heldCa | int64 -}}
{{- $end := dig "metadata" "annotations" "gatehouse.dev/not-after" "0" $held | int64 -}}
{{- $renew := mul $tls.renewBeforeDays $day | add $now -}}
{{- $ca := dict -}}
{{- $freshCa := lt $caEnd (mul $tls.days $day | add $now) -}}
{{- if $freshCa -}}
{{- $caEnd = mul $tls.days 2 $day | add $now -}}
{{- $ca = genCAWithKey "Gatehouse controller CA" (mul $tls.days 2 | int) (genPrivateKey "ecdsa") -}}
{{- else -}}
{{- $ca = buildCustomCert (index $heldCa.data "tls.crt") (index $heldCa.data "tls.key") -}}
{{- end -}}
{{- $cert := dict -}}
{{- $sameNames := eq (dig "metadata" "annotations" "gatehouse.dev/names" "" $held) (join "," $names) -}}
{{- if or $freshCa (not $sameNames) (lt $end $renew) -}}
{{- $end = mul $tls.days $day | add $now -}}
{{- $cert = genSignedCertWithKey (index $names 2) nil $names (int $tls.days) $ca (genPrivateKey "ecdsa") -}}
{{- else -}}
{{- $cert = dict "Cert" (index $held.data "tls.crt" | b64dec) "Key" (index $held.data "tls.key" | b64dec) -}}
{{- end -}}
{{- $_ := set .Values "made" (dict "ca" $ca "caEnd" $caEnd "cert" $cert "end" $end "names" (join "," $names)) -}}
{{- end -}}
{{- end -}}
