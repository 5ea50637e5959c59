/** What is offered to clients by ALPN (RFC 7301), the preferred one first. */
export const applicationProtocols = ['h2', 'http/1.1'];
