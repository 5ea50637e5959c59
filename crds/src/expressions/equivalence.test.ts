import {
  type CelInput,
  type CelResult,
  CelScalar,
  celEnv,
  celFunc,
  isCelError,
  isCelList,
  isCelMap,
  isCelUint,
  parse,
  plan,
} from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { check } from './check.ts';
import type { Frame } from './frame.ts';
import { isLiteralMap } from './maps.ts';
import { namesOf } from './names.ts';
import { parse as parseExpression } from './parse.ts';
import { Mistake } from './place.ts';
import { sourceOf } from './testing.ts';
import { mayBe } from './type.ts';
import { Fault, isList, isMap, kindOf, Uint, type Value } from './value.ts';

/**
 * Random expressions, evaluated by our closures and by @bufbuild/cel: the same value, or both fail.
 * Left out is where the library differs from the specification: has() of null, maps indexed by bool,
 * positions in text that is not ASCII, numbers in text that are none.
 */

const claims = {
  tenant: 'acme',
  age: 30,
  ratio: 0.5,
  verified: true,
  groups: ['a', 'b', 'acme'],
  mixed: [1, 'a', true, null, [2], { x: 1 }],
  org: { id: 'o-1', level: 3 },
};
const headers = { 'x-tenant': 'acme', accept: '*/*' };
const source = sourceOf({ identity: { ...sourceOf().identity!, claims } }, headers);
const { id, method, roles, scopes, consumer, plan: tariff } = source.identity!;

const bindings = {
  request: {
    method: source.method,
    path: source.path,
    host: source.host,
    size: BigInt(source.bodySize),
    headers,
    query: { page: '2', q: 'a b' },
  },
  client: { address: source.clientAddress },
  identity: { id, method, roles: [...roles], scopes: [...scopes], consumer, plan: tariff, claims },
  claims,
};

const { STRING, DOUBLE, INT } = CelScalar;

function numberIn(text: string): number {
  if (!/^-?\d+(\.\d+)?$/.test(text)) throw new Error('no number');
  return Number(text);
}

/** The library takes any text for a number. */
const env = celEnv({
  funcs: [
    ...strings,
    celFunc('double', [STRING], DOUBLE, numberIn),
    celFunc('int', [STRING], INT, (text) => BigInt(numberIn(text))),
  ],
});

type Plain = unknown;

/** Both sides as plain data that toEqual tells apart: ints are bigint, uints and maps are tagged. */
function plainOurs(value: Value): Plain {
  if (isList(value)) return value.map(plainOurs);
  if (value instanceof Uint) return { uint: value.value };
  if (!isMap(value)) return value;
  const entries = isLiteralMap(value)
    ? [...value.values()].map(({ key, value }) => [plainOurs(key), plainOurs(value)] as const)
    : Object.entries(value).map(([key, item]) => [key, plainOurs(item as Value)] as const);
  return new Map<Plain, Plain>(entries);
}

function plainTheirs(value: CelResult): Plain {
  if (isCelList(value)) return [...value].map(plainTheirs);
  if (isCelUint(value)) return { uint: value.value };
  if (isCelMap(value)) return new Map([...value].map(([key, item]) => [key, plainTheirs(item)]));
  return value;
}

const failure = 'failure';

function theirs(text: string): Plain {
  const result = plan(env, parse(text))(bindings as Record<string, CelInput>);
  return isCelError(result) ? failure : { value: plainTheirs(result) };
}

function ours(text: string): Plain | Mistake {
  const scope = { names: namesOf.identity, locals: undefined, withheld: new Map<string, string>() };
  const frame: Frame = { source, steps: 0, variables: [] };
  try {
    const term = check(parseExpression(text), { ...scope, note: () => undefined });
    const result = term.evaluate(frame);
    if (result instanceof Fault) {
      expect({ text, fallible: term.fallible }).toEqual({ text, fallible: true });
      return failure;
    }
    // What the checker promised of the type holds.
    expect({ text, kept: mayBe(term.type, kindOf(result)) }).toEqual({ text, kept: true });
    return { value: plainOurs(result) };
  } catch (error) {
    if (error instanceof Mistake) return error;
    throw error;
  }
}

type Parts = Record<'bool' | 'string' | 'number' | 'list' | 'any', string>;

/** Text by type. "x" is the variable of the loop that may be around it. */
const { bool, string, number, list, any } = fc.letrec<Parts>((tie) => {
  const [bool, string, number, list, any] = [
    tie('bool'),
    tie('string'),
    tie('number'),
    tie('list'),
    tie('any'),
  ];
  const text = (template: string, ...parts: fc.Arbitrary<string>[]) =>
    fc
      .tuple(...parts)
      .map((values) => values.reduce((made, value) => made.replace('$', () => value), template));
  const one = (...constants: string[]) => fc.constantFrom(...constants);
  const depth = { maxDepth: 4, depthSize: 'small' } as const;
  const dynamic = one('x', 'claims.tenant', 'claims.age', 'claims.mixed[1]', 'claims.missing');
  return {
    bool: fc.oneof(
      depth,
      one('true', 'false', 'claims.verified', 'claims.missing', 'has(claims.org)'),
      text('$ && $', text('($)', bool), text('($)', bool)),
      text('$ || $', text('($)', bool), text('($)', bool)),
      text('!($)', bool),
      text('($) ? ($) : ($)', bool, bool, bool),
      text('$ $ $', any, one('==', '!='), any),
      text('$ $ $', string, one('<', '<=', '>', '>=', '=='), string),
      text('$ $ $', number, one('<', '<=', '>', '>=', '=='), number),
      text('$ in $', any, list),
      text('$ in $', string, one('request.headers', 'claims', 'claims.org', '{"a": 1}', 'x')),
      text('$.$($)', string, one('startsWith', 'endsWith', 'contains'), string),
      text('$.$(x, $)', list, one('exists', 'all', 'exists_one'), bool),
      dynamic,
    ),
    string: fc.oneof(
      depth,
      one('""', '"a"', '"acme"', '"É😀"', 'request.method', 'identity.id', 'client.address'),
      one('request.headers["x-tenant"]', 'request.headers["x-none"]', 'request.query["q"]'),
      text('($ + $)', string, string),
      text('(($) ? $ : $)', bool, string, string),
      text('$.$()', string, one('lowerAscii', 'upperAscii', 'trim')),
      text('$.replace($, $)', string, one('"a"', '"c"', '"-"'), string),
      text('$.join(",")', list),
      text('string($)', number),
      text('$[$]', list, number),
      dynamic,
    ),
    number: fc.oneof(
      depth,
      one('0', '1', '-1', '7', '2.0', '0.5', '9223372036854775807', 'request.size', 'claims.age'),
      text('($ $ $)', number, one('+', '-', '*', '/', '%'), number),
      text('size($)', fc.oneof(string, list, one('claims', 'claims.org'))),
      text('$($)', one('int', 'double'), number),
      text('$.indexOf($)', one('"abca"', 'identity.id', 'request.path'), one('"a"', '"c"', '"/"')),
      dynamic,
    ),
    list: fc.oneof(
      depth,
      one('[]', '["a"]', '[1, 2.0]', 'identity.roles', 'claims.groups', 'claims.mixed'),
      text('[$, $]', any, any),
      text('($ + $)', list, list),
      text('$.split($)', string, one('"a"', '","')),
      text('$.map(x, $)', list, any),
      text('$.filter(x, $)', list, bool),
      text('$.map(x, $, $)', list, bool, any),
      dynamic,
    ),
    any: fc.oneof(
      depth,
      bool,
      string,
      number,
      list,
      one('null', 'claims', 'claims.org', '1u', '{"id": "o-1", "level": 3.0}', 'claims.mixed[5]'),
      text('{$: $}', one('"a"', '1', 'true'), any),
      text('$[$]', one('claims', 'claims.org', '{"a": 1, "acme": [2]}'), string),
    ),
  };
});

it('evaluates as @bufbuild/cel does', () => {
  let accepted = 0;
  fc.assert(
    fc.property(fc.oneof(bool, string, number, list, any), fc.boolean(), (inner, looped) => {
      const text = looped
        ? `claims.mixed.map(x, ${inner})`
        : inner.replaceAll(/\bx\b/g, 'claims.age');
      const result = ours(text);
      if (result instanceof Mistake) return;
      accepted++;
      expect({ text, result }).toEqual({ text, result: theirs(text) });
    }),
    { numRuns: 1500 },
  );
  expect(accepted).toBeGreaterThan(500);
});
