import type { KeyPair } from './certificates.ts';

/** A kubeconfig with everything inside; YAML is a superset of JSON, and kubectl reads it. */
export function kubeconfig(server: string, authority: string, { certificate, key }: KeyPair) {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const name = 'gatehouse';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': base64(authority) } }],
    users: [
      {
        name,
        user: { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) },
      },
    ],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
