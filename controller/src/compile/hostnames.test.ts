import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { intersectHostnames } from './hostnames.ts';

const label = fc.constantFrom('a', 'b', 'ab');
const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
const pattern = fc.oneof(
  host,
  host.map((name) => `*.${name}`),
);

function fits(name: string, hostname: string): boolean {
  if (!hostname.startsWith('*.')) return name === hostname;
  return name.endsWith(hostname.slice(1)) && name.length > hostname.length - 1;
}

describe('intersectHostnames', () => {
  it('keeps a host when the listener and the Route both have it', () => {
    const listener = fc.oneof(fc.constant(''), pattern);
    const route = fc.array(pattern, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(listener, route, fc.array(host, { minLength: 20 }), (own, wanted, names) => {
        const common = intersectHostnames(own, wanted) ?? [];
        for (const name of names) {
          const both = (own === '' || fits(name, own)) && wanted.some((one) => fits(name, one));
          expect(common.some((one) => fits(name, one))).toBe(both);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('takes all hosts of the listener for a Route without hostnames', () => {
    expect(intersectHostnames('*.example.com', [])).toEqual([]);
  });

  it('compares in lower case and sorts', () => {
    expect(intersectHostnames('*.Example.com', ['B.example.com', 'a.example.COM'])).toEqual([
      'a.example.com',
      'b.example.com',
    ]);
  });
});
