import { describe, expect, it } from 'vitest';
import { pathText, validateObject } from '../../index.ts';

function linesOf(endpoints: object): string[] {
  const validated = validateObject({
    apiVersion: 'gatehouse.dev/v1alpha1',
    kind: 'Upstream',
    metadata: { name: 'shop' },
    spec: { endpoints },
  });
  if ('object' in validated) return [];
  return validated.problems.map(({ path, message }) => `${pathText(path)}: ${message}`);
}

const oneRule = 'spec.endpoints: exactly one of static, service, consul and dns must be given';
const portRule = 'spec.endpoints.dns: port goes with all records but SRV, which tell it';

describe('endpoints from Consul', () => {
  const address = 'http://127.0.0.1:8500';

  it.each<[string, object, string[]]>([
    ['a service', { address, service: 'users' }, []],
    [
      'everything',
      {
        address: 'https://consul.example:8501',
        service: 'users',
        datacenter: 'eu-1',
        tags: ['v2', 'primary'],
        zoneMeta: 'availability_zone',
        tokenSecretRef: { name: 'consul' },
        tls: { caSecretRef: { name: 'consul', key: 'ca' }, serverName: 'server.dc1.consul' },
      },
      [],
    ],
    [
      'no service',
      { address },
      [
        'spec.endpoints.consul.service: expected a text without spaces, 1 to 255 characters, found nothing',
      ],
    ],
    [
      'an address without a scheme',
      { address: 'consul:8500', service: 'a' },
      [
        'spec.endpoints.consul.address: expected an http or https URL without user, path or query, 8 to 300 characters, found "consul:8500"',
      ],
    ],
    [
      'an address with a password',
      { address: 'http://a:b@consul:8500', service: 'a' },
      [
        'spec.endpoints.consul.address: expected an http or https URL without user, path or query, 8 to 300 characters, found "http://a:b@consul:8500"',
      ],
    ],
    [
      'authorities for plain HTTP',
      { address, service: 'a', tls: { caSecretRef: { name: 'consul' } } },
      ['spec.endpoints.consul: tls goes with an address that begins with https://'],
    ],
    [
      'a token that stands in the open',
      { address, service: 'a', token: 'secret' },
      [
        'spec.endpoints.consul.token: unknown field; known here: address, service, datacenter, tags, zoneMeta, tokenSecretRef or tls',
      ],
    ],
  ])('of %s', (_, consul, lines) => {
    expect(linesOf({ consul })).toEqual(lines);
  });
});

describe('endpoints from DNS', () => {
  it.each<[string, object, string[]]>([
    ['addresses', { name: 'users.internal', port: 80 }, []],
    ['a name with a dot at its end', { name: 'users.internal.', port: 80, records: 'AAAA' }, []],
    ['SRV records', { name: '_http._tcp.users.internal', records: 'SRV' }, []],
    [
      'its own name servers',
      {
        name: 'a',
        port: 80,
        resolvers: ['10.0.0.10', '10.0.0.10:5353', '::1', '[::1]:5353'],
        minTtl: '1s',
        maxTtl: '1m',
      },
      [],
    ],
    ['addresses without a port', { name: 'a' }, [portRule]],
    ['SRV records with a port', { name: 'a', records: 'SRV', port: 80 }, [portRule]],
    [
      'a name that is none',
      { name: 'a..b', port: 80 },
      ['spec.endpoints.dns.name: expected a domain name, 1 to 253 characters, found "a..b"'],
    ],
    [
      'a port of 0',
      { name: 'a', port: 0 },
      ['spec.endpoints.dns.port: expected an integer from 1 to 65535, found 0'],
    ],
    [
      'a name server by its name',
      { name: 'a', port: 80, resolvers: ['ns.internal'] },
      [
        'spec.endpoints.dns.resolvers[0]: expected an IP address, with a port or without, 2 to 53 characters, found "ns.internal"',
      ],
    ],
  ])('of %s', (_, dns, lines) => {
    expect(linesOf({ dns })).toEqual(lines);
  });
});

describe('endpoints', () => {
  it('come from one place', () => {
    const dns = { name: 'a', port: 80 };
    const consul = { address: 'http://[::1]:8500', service: 'a' };
    expect(linesOf({})).toEqual([oneRule]);
    expect(linesOf({ dns, consul })).toEqual([oneRule]);
    expect(linesOf({ dns, service: { name: 'a' } })).toEqual([oneRule]);
  });
});
