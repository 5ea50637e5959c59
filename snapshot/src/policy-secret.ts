/**
 * Name of the Secret resource that holds one entry of a Secret for a policy, under the same key. Only
 * the entries that policies name are sent.
 */
export function policySecretName(namespace: string, secret: string, key: string): string {
  return `policy/${namespace}/${secret}/${key}`;
}

/**
 * Name of the Secret resource with the API keys of a policy's Secret (`source` its name), or of the
 * Consumers of a namespace (`source` "*"): never the keys, only their SHA-256.
 */
export function apiKeysName(namespace: string, source: string): string {
  return `api-keys/${namespace}/${source}`;
}
