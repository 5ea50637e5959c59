import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkExpression, compileExpression, ExpressionError } from './expression.ts';
import { expressionLimits } from './limits.ts';
import type { ExpressionSource } from './source.ts';
import { identity, sourceOf } from './testing.ts';

const { characters, nodes, depth, string } = expressionLimits;

function complaintAbout(text: string): string | undefined {
  return checkExpression(text, 'bool', 'identity')?.message;
}

describe('the size of a text', () => {
  it.each([
    ['characters', `"${'a'.repeat(characters)}" == ""`, /^longer than 4096 characters$/],
    ['nodes', `[${'1,'.repeat(nodes)}1] == []`, /^too large; at most 1000 names, values and/],
    ['sums', `${'1 + '.repeat(depth)}1 == 1`, /^nested too deeply; at most 64 levels$/],
    ['parentheses', `${'('.repeat(65)}true${')'.repeat(65)}`, /^nested too deeply/],
    ['lists', `${'['.repeat(2000)}${']'.repeat(2000)} == []`, /^nested too deeply/],
    ['calls', `${'size('.repeat(800)}1`, /^nested too deeply/],
    ['selections', `claims${'.a'.repeat(depth)}`, /^nested too deeply/],
    [
      'loops',
      'claims.a.all(x, x.all(y, y.all(z, z)))',
      /^all inside of 2 others would take too long$/,
    ],
    ['patterns', 'request.path.matches("(a{200}){3}")', /takes \d+ instructions, at most 500$/],
  ])('is bounded in %s', (_, text, complaint) => {
    expect(complaintAbout(text)).toMatch(complaint);
  });

  it.each([
    ['a wide expression', `${'true || '.repeat(300)}true`],
    ['parentheses', `${'('.repeat(60)}true${')'.repeat(60)}`],
    ['brackets in a string', `"${'['.repeat(500)}" != '${'('.repeat(500)}'`],
    ['a long list', `request.method in [${'"GET",'.repeat(500)}"PUT"]`],
    ['two loops in each other', 'claims.a.all(x, x.all(y, y)) && claims.a.all(x, x.all(y, y))'],
    ['loops behind each other', 'claims.a.map(x, x).map(x, x).map(x, x).all(x, x)'],
  ])('allows %s', (_, text) => {
    expect(complaintAbout(text)).toBeUndefined();
  });
});

const names = Array.from({ length: 1000 }, (_, index) => `role-${index}`);
const long = 'a'.repeat(32_000);

/** About as much as a client can send. */
const large: ExpressionSource = sourceOf(
  {
    query: '%61=1&'.repeat(1365),
    identity: {
      ...identity,
      roles: names,
      claims: {
        names,
        numbers: names.map((_, index) => index + 0.5),
        lists: names.slice(0, 100).map(() => names.slice(0, 100)),
        map: Object.fromEntries(names.map((name) => [name, 1])),
      },
    },
  },
  {
    long,
    other: `${long.slice(1)}b`,
    // What V8's search is slowest with.
    part: `${'a'.repeat(500)}b${'a'.repeat(499)}`,
    wide: '😀'.repeat(16_000),
    commas: ','.repeat(32_000),
    spaces: ' '.repeat(32_000),
  },
);

function stops(text: string): boolean {
  try {
    compileExpression(text, 'bool', 'identity').evaluate(large);
    return false;
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return /it takes too long/.test(error.message);
  }
}

describe('the time of an evaluation', () => {
  const each = (condition: string) => `claims.names.all(n, ${condition})`;

  it.each([
    'claims.names.all(n, identity.roles.all(r, n != "x" && r != "y"))',
    'claims.numbers.map(a, claims.numbers.map(b, a + b)).size() > 0',
    'claims.map.all(k, claims.map.all(l, k != "x" || l != "x"))',
    each('claims.lists != [] && claims.lists == claims.lists'),
    each('claims.map == claims.map'),
    each('!(1 in claims.names)'),
    each('request.headers.long != request.headers.other'),
    each('request.headers.long < request.headers.other'),
    each('request.headers.long.startsWith(request.headers.long)'),
    each('!request.headers.long.contains(request.headers.part)'),
    each('request.headers.long.indexOf(request.headers.part) == -1'),
    each('request.headers.long.lastIndexOf(request.headers.part) == -1'),
    each('request.headers.long.replace("a", "b") != ""'),
    each('request.headers.commas.split(",") != []'),
    each('request.headers.spaces.trim() == ""'),
    each('request.headers.wide.size() > 1'),
    each('request.headers.wide.charAt(15000) != ""'),
    each('request.headers.wide.lowerAscii() != ""'),
    each('identity.roles.join(",") != ""'),
    each('identity.roles + identity.roles != []'),
    each('string(bytes(request.headers.wide)) != ""'),
    each('!(n in request.query)'),
    'claims.names.all(n, identity.roles.all(r, cidr("::/0").containsIP("::1")))',
    'request.headers.long.matches("(?i)[ab]*A[ab]{9}$")',
    each('!n.matches("[a-z]+-[0-9]+x$")'),
  ])('is bounded: %s', (text) => {
    expect(stops(text)).toBe(true);
  });

  it('is bounded even where the failure does not matter', () => {
    expect(stops(`${each('request.headers.commas.split(",") != []')} || true`)).toBe(true);
  });

  it.each([
    'claims.names.exists(n, n == "role-999")',
    '"role-999" in identity.roles && "role-999" in claims.names && "role-999" in claims.map',
    'request.path.matches("^/api/v[0-9]+/[a-z]+$")',
    'claims.lists == claims.lists',
  ])('suffices for %s', (text) => {
    expect(compileExpression(text, 'bool', 'identity').evaluate(large)).toBe(true);
  });

  it.each([
    'request.headers.long + request.headers.long + request.headers.long',
    'request.headers.commas.replace(",", "abc")',
    '[request.headers.long, request.headers.long, request.headers.long].join("")',
  ])('bounds the strings that it makes: %s', (text) => {
    const evaluate = () => compileExpression(text, 'string', 'identity').evaluate(large);
    expect(evaluate).toThrow(`a string of more than ${string} characters`);
  });

  it('begins anew with each evaluation', () => {
    const text = 'claims.names.exists(n, identity.roles[0] + n == "x")';
    const { evaluate } = compileExpression(text, 'bool', 'identity');
    for (let round = 0; round < 10; round++) expect(evaluate(large)).toBe(false);
  });
});

describe('any text', () => {
  const word = fc.constantFrom(
    ...['request', '.', 'headers', '[', ']', '(', ')', '{', '}', '"a"', "'", '"', '1', '1u', '2.5'],
    ...['claims', 'identity', '.roles', '.all(x, ', '.map(', ' && ', '||', '!', '-', '+', '/', '%'],
    ...[
      '==',
      '!=',
      '<',
      '?',
      ':',
      ',',
      ' in ',
      'has(',
      'true',
      'null',
      'x',
      'b"',
      'r"',
      '\\',
      '\n',
    ],
    ...['//', '😀', '.matches(', '.size()', 'é', '\0', '`', '9223372036854775807', '0x', '1e9'],
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.array(word, { maxLength: 14 }).map((words) => words.join('')),
  );

  it('is sound or has a place where it is not, and evaluates or fails', () => {
    fc.assert(
      fc.property(text, fc.constantFrom('bool', 'string', 'number', 'header'), (text, type) => {
        const problem = checkExpression(text, type, 'identity');
        if (problem !== undefined) {
          const line = text.split('\n')[problem.line - 1];
          expect(line).toBeDefined();
          expect(problem.column).toBeGreaterThan(0);
          expect(problem.column).toBeLessThanOrEqual([...line!].length + 1);
          expect(() => compileExpression(text, type, 'identity')).toThrow(problem.message);
          return;
        }
        const { evaluate } = compileExpression(text, type, 'identity');
        try {
          expect(['boolean', 'string', 'number', 'object']).toContain(typeof evaluate(sourceOf()));
        } catch (error) {
          expect(error).toBeInstanceOf(ExpressionError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
