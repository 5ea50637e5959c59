import { describe, expect, it } from 'vitest';
import { pathText, validateObject } from '../../index.ts';

function linesOf(spec: object): string[] {
  const endpoints = { static: [{ address: '10.0.0.1', port: 80 }] };
  const validated = validateObject({
    apiVersion: 'gatehouse.dev/v1alpha1',
    kind: 'Upstream',
    metadata: { name: 'shop' },
    spec: { endpoints, ...spec },
  });
  if ('object' in validated) return [];
  return validated.problems.map(({ path, message }) => `${pathText(path)}: ${message}`);
}

const keyRule =
  'spec.balancing: key is needed for RingHash and Maglev, and must be left out for the others';
const slowStartRule =
  'spec.balancing: slowStart does not go with RingHash and Maglev: a key would move while it lasts';

describe('balancing', () => {
  it.each<[string, object, string[]]>([
    ['nothing', {}, []],
    ['an algorithm', { algorithm: 'PeakEwma' }, []],
    ['a key', { algorithm: 'Maglev', key: 'request.host' }, []],
    ['sticky sessions with everything left out', { sticky: {} }, []],
    [
      'an algorithm with a slip',
      { algorithm: 'LeastRequests' },
      [
        'spec.balancing.algorithm: expected "RoundRobin", "Random", "LeastRequest", "PeakEwma", "RingHash" or "Maglev", found "LeastRequests"',
      ],
    ],
    ['no key', { algorithm: 'RingHash' }, [keyRule]],
    ['a key without an algorithm for it', { key: 'request.host' }, [keyRule]],
    ['a key for another algorithm', { algorithm: 'Random', key: 'request.host' }, [keyRule]],
    [
      'an empty key',
      { algorithm: 'RingHash', key: '' },
      ['spec.balancing.key: expected a string of 1 to 4096 characters, found ""'],
    ],
    [
      'a slow start by key',
      { algorithm: 'Maglev', key: 'request.host', slowStart: { window: '5s' } },
      [slowStartRule],
    ],
    [
      'a threshold above 100',
      { panicThreshold: 101 },
      ['spec.balancing.panicThreshold: expected an integer from 0 to 100, found 101'],
    ],
    [
      'a cookie that is no token',
      { sticky: { cookie: 'a b' } },
      [
        'spec.balancing.sticky.cookie: expected a token without spaces or separators (RFC 9110), 1 to 128 characters, found "a b"',
      ],
    ],
    [
      'a path that would end the cookie',
      { sticky: { path: '/a;b' } },
      [
        'spec.balancing.sticky.path: expected a path of visible ASCII characters without ";", 1 to 1024 characters, found "/a;b"',
      ],
    ],
  ])('%s', (_, balancing, lines) => {
    expect(linesOf({ balancing })).toEqual(lines);
  });
});

describe('a circuit breaker', () => {
  it.each<[string, object, string[]]>([
    ['with everything left out', {}, []],
    ['that only limits', { failureThreshold: 0, limits: { maxRequests: 1 } }, []],
    [
      'without probes',
      { halfOpenRequests: 0 },
      ['spec.circuitBreaker.halfOpenRequests: expected an integer from 1 to 1000, found 0'],
    ],
    [
      'with a number as timeout',
      { timeout: 60 },
      [
        'spec.circuitBreaker.timeout: expected a duration such as "30s", "1m30s" or "250ms", at most 32 characters, found 60',
      ],
    ],
    [
      'with a rate without percent',
      { errorRate: { window: '10s' } },
      ['spec.circuitBreaker.errorRate.percent: expected an integer from 1 to 100, found nothing'],
    ],
    [
      'in the spelling of others',
      { failure_threshold: 5 },
      ['spec.circuitBreaker.failure_threshold: unknown field; did you mean "failureThreshold"?'],
    ],
  ])('%s', (_, circuitBreaker, lines) => {
    expect(linesOf({ circuitBreaker })).toEqual(lines);
  });
});

const probeRule = 'spec.healthCheck: exactly one of http, tcp and grpc must be given';

describe('a health check', () => {
  it.each<[string, object, string[]]>([
    ['by HTTP', { http: { path: '/health', statuses: [200, 204] } }, []],
    ['by TCP', { tcp: {} }, []],
    ['by gRPC', { grpc: {} }, []],
    ['by gRPC of a service', { grpc: { service: 'shop.v1.Catalog', host: 'shop.test' } }, []],
    ['by nothing', {}, [probeRule]],
    ['by two', { http: { path: '/' }, tcp: {} }, [probeRule]],
    ['by HTTP and gRPC', { http: { path: '/' }, grpc: {} }, [probeRule]],
    [
      'of a service that is none',
      { grpc: { service: 'shop/Catalog' } },
      [
        'spec.healthCheck.grpc.service: expected a string of 1 to 253 characters that matches ^[A-Za-z_][A-Za-z0-9_.]*$, found "shop/Catalog"',
      ],
    ],
    [
      'by gRPC of a wildcard',
      { grpc: { host: '*.example.com' } },
      ['spec.healthCheck.grpc: host must not be a wildcard'],
    ],
    [
      'without a path',
      { http: {} },
      [
        'spec.healthCheck.http.path: expected a path that starts with "/", without query, fragment, spaces or controls, 1 to 1024 characters, found nothing',
      ],
    ],
    [
      'of a wildcard',
      { http: { path: '/', host: '*.example.com' } },
      ['spec.healthCheck.http: host must not be a wildcard'],
    ],
    [
      'of a status that is none',
      { http: { path: '/', statuses: [99] } },
      ['spec.healthCheck.http.statuses[0]: expected an integer from 200 to 599, found 99'],
    ],
    [
      'on port 0',
      { tcp: {}, port: 0 },
      ['spec.healthCheck.port: expected an integer from 1 to 65535, found 0'],
    ],
  ])('%s', (_, healthCheck, lines) => {
    expect(linesOf({ healthCheck })).toEqual(lines);
  });
});

describe('outlier detection', () => {
  it.each<[string, object, string[]]>([
    ['with everything left out', {}, []],
    ['by success rate', { successRate: {} }, []],
    [
      'that ejects nobody',
      { maxEjectedPercent: 0 },
      ['spec.outlierDetection.maxEjectedPercent: expected an integer from 1 to 100, found 0'],
    ],
    [
      'among one',
      { successRate: { minimumEndpoints: 1 } },
      [
        'spec.outlierDetection.successRate.minimumEndpoints: expected an integer from 2 to 1000, found 1',
      ],
    ],
  ])('%s', (_, outlierDetection, lines) => {
    expect(linesOf({ outlierDetection })).toEqual(lines);
  });
});
