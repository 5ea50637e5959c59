import { describe, expect, it } from 'vitest';
import { compileExpression } from './expression.ts';
import type { ExpressionSource } from './source.ts';
import { sourceOf } from './testing.ts';

/** What an evaluation reads of the source, in order; of headers their names. */
function readsOf(text: string): string[] {
  const reads: string[] = [];
  const source = new Proxy(sourceOf(), {
    get: (target, name: keyof ExpressionSource) => {
      if (name !== 'header') {
        reads.push(name);
        return target[name];
      }
      return (header: string) => {
        reads.push(`header ${header}`);
        return target.header(header);
      };
    },
  });
  compileExpression(text, 'bool', 'identity').evaluate(source);
  return reads;
}

describe('an evaluation reads', () => {
  it.each([
    ['true', []],
    ['request.method == "GET"', ['method']],
    ['request.method == "PUT" && request.path == "/"', ['method']],
    ['request.headers["x-tenant"] == claims.tenant', ['header x-tenant', 'identity']],
    ['"x" in request.headers || "x" in request.query', ['header x', 'query']],
    [
      'has(request.headers.accept) ? request.size == 1 : request.scheme == ""',
      ['header accept', 'scheme'],
    ],
  ])('of %s: %j', (text, reads) => {
    expect(readsOf(text)).toEqual(reads);
  });

  it('nothing more once it is over', () => {
    const { evaluate } = compileExpression('request.path', 'string', 'request');
    expect(evaluate(sourceOf({ path: '/one' }))).toBe('/one');
    expect(evaluate(sourceOf({ path: '/two' }))).toBe('/two');
  });
});

describe('identityOnly', () => {
  it.each([
    ['claims.tenant', true],
    ['identity.roles.map(r, r + claims.tenant)', true],
    ['"constant"', true],
    ['["client"].map(client, client)[0]', true],
    ['claims.tenant + request.method', false],
    ['client.address', false],
    ['"x" in request.headers ? claims.a : identity.id', false],
    ['has(request.query.a) ? "a" : "b"', false],
    ['identity.roles.map(r, r + request.route)', false],
  ])('of %s is %j', (text, identityOnly) => {
    expect(compileExpression(text, 'header', 'identity').identityOnly).toBe(identityOnly);
  });
});
