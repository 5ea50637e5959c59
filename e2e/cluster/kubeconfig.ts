import type { KeyPair } from './certificates.ts';

/** How a client proves who it is: by a certificate, or by a token. */
export type Credentials = KeyPair | { token: string };

/** A kubeconfig with everything inside; YAML is a superset of JSON, and kubectl reads it. */
export function kubeconfig(server: string, authority: string, credentials: Credentials): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const name = 'gatehouse';
  const user =
    'token' in credentials
      ? credentials
      : {
          'client-certificate-data': base64(credentials.certificate),
          'client-key-data': base64(credentials.key),
        };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': base64(authority) } }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
