/** The request that is asked about. */
export type Asked = {
  method: string;
  url: string;
  scheme: 'http' | 'https';
  /** Port of the URL, or that of its scheme. */
  port: number;
  /** True when the URL names a port. */
  portGiven: boolean;
  /** Path and query as they go on the wire. */
  target: string;
  /** "name: value" lines, Host among them. */
  fields: string[];
  clientAddress: string;
};

const urlForm = /^(https?):\/\/([^/?#@\s]+)((?:[/?][^#\s]*)?)(?:#\S*)?$/i;
const token = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/;

/**
 * @param headers "name: value" each, as for curl; a Host among them replaces that of the URL.
 * @throws Error with what is wrong.
 */
export function asked(
  method: string,
  url: string,
  headers: readonly string[],
  clientAddress: string,
): Asked {
  if (!token.test(method)) {
    throw new Error(`Cannot use method "${method}": expected a token such as GET`);
  }
  const [, scheme = '', authority = '', rest = ''] = urlForm.exec(url) ?? [];
  const [, digits] = /:([0-9]+)$/.exec(authority) ?? [];
  const port = digits === undefined ? (/s$/i.test(scheme) ? 443 : 80) : Number(digits);
  if (authority === '' || port < 1 || port > 65535) {
    throw new Error(
      `Cannot use URL "${url}": expected http:// or https://, a host, and perhaps a port and a path, without spaces`,
    );
  }
  const fields = headers.map(fieldOf);
  const hasHost = fields.some((field) => /^host:/i.test(field));
  return {
    method,
    url,
    scheme: scheme.toLowerCase() === 'https' ? 'https' : 'http',
    port,
    portGiven: digits !== undefined,
    target: rest.startsWith('/') ? rest : `/${rest}`,
    fields: hasHost ? fields : [`host: ${authority}`, ...fields],
    clientAddress,
  };
}

function fieldOf(text: string): string {
  const colon = text.indexOf(':');
  const name = text.slice(0, Math.max(0, colon));
  const value = text.slice(colon + 1).trim();
  if (token.test(name) && !/[\0-\x08\x0a-\x1f\x7f]/.test(value)) return `${name}: ${value}`;
  throw new Error(`Cannot use header "${text}": expected "name: value" without control characters`);
}
