import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Field, type FieldCode, fieldCode } from './field-names.ts';

const special: [name: string, code: FieldCode][] = [
  ['te', Field.dropped],
  ['host', Field.host],
  ['expect', Field.expect],
  ['trailer', Field.dropped],
  ['upgrade', Field.dropped],
  ['forwarded', Field.forwarded],
  ['connection', Field.connection],
  ['keep-alive', Field.dropped],
  ['x-request-id', Field.requestId],
  ['x-client-type', Field.clientType],
  ['content-length', Field.contentLength],
  ['http2-settings', Field.dropped],
  ['x-forwarded-for', Field.forwardedFor],
  ['x-forwarded-host', Field.forwardedHost],
  ['x-forwarded-port', Field.forwardedPort],
  ['transfer-encoding', Field.transferEncoding],
  ['x-forwarded-proto', Field.forwardedProto],
  ['x-gatehouse-retries', Field.dropped],
  ['x-gatehouse-timeout-ms', Field.dropped],
  ['x-gatehouse-try-timeout-ms', Field.dropped],
  ['proxy-connection', Field.dropped],
  ['proxy-authorization', Field.dropped],
  ['proxy-authenticate', Field.dropped],
  ['proxy-authentication-info', Field.dropped],
  ['proxy-x', Field.dropped],
];

/** Classifies a name that stands somewhere in a longer text. */
function codeOf(name: string): FieldCode {
  return fieldCode(`\r\n${name}: x-y_z`, 2, 2 + name.length);
}

function inCase(name: string, upper: boolean[]): string {
  return [...name].map((char, i) => (upper[i] ? char.toUpperCase() : char)).join('');
}

const cases = fc.array(fc.boolean(), { minLength: 26, maxLength: 26 });

describe('field names with a meaning', () => {
  it.each(special)('%s in any case', (name, code) => {
    fc.assert(
      fc.property(cases, (upper) => {
        expect(codeOf(inCase(name, upper))).toBe(code);
      }),
    );
  });

  it.each(special.filter(([name]) => name.includes('-')))(
    '%s with "_" for "-" is never forwarded: it folds to the same CGI variable (RFC 3875 section 4.1.18)',
    (name) => {
      const hyphens = [...name].filter((char) => char === '-').length;
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 2 ** hyphens - 1 }), cases, (mask, upper) => {
          let n = 0;
          const folded = name.replace(/-/g, () => ((mask >> n++) & 1 ? '_' : '-'));
          expect(codeOf(inCase(folded, upper))).toBe(Field.dropped);
        }),
      );
    },
  );

  it('are not mistaken: one character more, less or other is an ordinary name', () => {
    const known = new Set(special.map(([name]) => name));
    const token = "!#$%&'*+.^`|~0123456789abcdefghijklmnopqrstuvwxyz-";
    for (const [name] of special) {
      if (name.startsWith('proxy-')) continue;
      for (let at = 0; at <= name.length; at++) {
        for (const char of token) {
          for (const cut of [0, 1]) {
            const other = name.slice(0, at) + char + name.slice(at + cut);
            if (!known.has(other)) expect(codeOf(other), other).toBe(Field.ordinary);
          }
        }
        const shorter = name.slice(0, at) + name.slice(at + 1);
        if (shorter !== '' && !known.has(shorter)) expect(codeOf(shorter)).toBe(Field.ordinary);
      }
    }
    for (const name of ['proxy', 'prox-y', 'x-proxy-a', 'a', 'x_y', 'accept', 'x-forwarded-x']) {
      expect(codeOf(name)).toBe(Field.ordinary);
    }
  });
});
