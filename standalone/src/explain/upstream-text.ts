import type { ExplainedBreaker, ExplainedTls, ExplainedUpstream } from './explanation.ts';

/** How the endpoints of an upstream are talked to. */
export function upstreamLines(upstream: ExplainedUpstream): string[] {
  const { protocol, tls, circuitBreaker, healthCheck, ejects } = upstream;
  const settings = [
    protocol === 'HTTP2' ? 'HTTP/2' : 'HTTP/1.1',
    balancingText(upstream),
    ...(circuitBreaker ? [breakerText(circuitBreaker)] : []),
    ...(healthCheck === null ? [] : [`checked by ${healthCheck}`]),
    ...(ejects ? ['ejects endpoints that fail'] : []),
  ];
  return [settings.join('; '), ...(tls ? [tlsText(tls)] : [])];
}

function balancingText({ balancing, balancingKey, sticky }: ExplainedUpstream): string {
  const by = balancingKey === '' ? '' : ` by ${balancingKey}`;
  return `${balancing}${by}${sticky ? ', sticky' : ''}`;
}

function tlsText(tls: ExplainedTls): string {
  const { serverName, minVersion, authorities, clientCertificate, complete } = tls;
  const trusted = authorities === '' ? 'public authorities' : `Secret ${authorities}`;
  const shown = clientCertificate === '' ? '' : `, shows Secret ${clientCertificate}`;
  const lack = complete ? '' : ': a Secret is missing or unfit, so nobody new connects';
  return `TLS ${minVersion} or newer to ${serverName}, trusts ${trusted}${shown}${lack}`;
}

function breakerText(breaker: ExplainedBreaker): string {
  const { failureThreshold, timeout, errorPercent, maxRequests } = breaker;
  const reasons = [
    ...(failureThreshold > 0 ? [`after ${failureThreshold} failures in a row`] : []),
    ...(errorPercent > 0 ? [`at ${errorPercent} % failures`] : []),
  ];
  const opens = reasons.length > 0 ? [`opens ${reasons.join(' or ')} for ${timeout} ms`] : [];
  const limits = maxRequests > 0 ? [`takes ${maxRequests} requests at a time`] : [];
  return `breaker ${[...opens, ...limits].join(', ') || 'never opens'}`;
}
