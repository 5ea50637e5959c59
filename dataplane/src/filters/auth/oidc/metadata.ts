/** What is used of a provider's discovery document (OpenID Connect Discovery section 3). */
export type Metadata = {
  authorizationEndpoint: string;
  tokenEndpoint: string;
  jwksUri: string;
  endSessionEndpoint: string | undefined;
  /** It takes client secrets in the form only. */
  secretInForm: boolean;
  /** It says in its answers who it is (RFC 9207). */
  namesItself: boolean;
};

/** @throws Error when the document lacks something or is that of another issuer */
export function metadataOf(document: Record<string, unknown>, issuer: string): Metadata {
  if (document.issuer !== issuer) {
    throw new Error('the discovery document is that of another issuer');
  }
  const needed = (name: string): string => {
    const url = urlIn(document, name);
    if (url === undefined) throw new Error(`the discovery document has no usable ${name}`);
    return url;
  };
  const methods = document.token_endpoint_auth_methods_supported;
  return {
    authorizationEndpoint: needed('authorization_endpoint'),
    tokenEndpoint: needed('token_endpoint'),
    jwksUri: needed('jwks_uri'),
    endSessionEndpoint: urlIn(document, 'end_session_endpoint'),
    // Left out it stands for client_secret_basic.
    secretInForm:
      Array.isArray(methods) &&
      methods.includes('client_secret_post') &&
      !methods.includes('client_secret_basic'),
    namesItself: document.authorization_response_iss_parameter_supported === true,
  };
}

function urlIn(document: Record<string, unknown>, name: string): string | undefined {
  const value = document[name];
  const url = typeof value === 'string' ? URL.parse(value) : null;
  return url && /^https?:$/.test(url.protocol) && url.hash === '' ? url.href : undefined;
}
