/** Name of the Secret resource with the authorities that an Upstream trusts, as its entry "ca.crt". */
export function authoritiesName(namespace: string, secret: string, key: string): string {
  return `authorities/${namespace}/${secret}/${key}`;
}
