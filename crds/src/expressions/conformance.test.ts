import { tests } from '@bufbuild/cel-spec/testdata/conformance.js';
import { describe, expect, it } from 'vitest';
import { check } from './check.ts';
import { equals } from './compare.ts';
import type { Frame } from './frame.ts';
import { mapKey } from './maps.ts';
import { parse } from './parse.ts';
import { Mistake } from './place.ts';
import { sourceOf } from './testing.ts';
import { type Field, types } from './type.ts';
import { Fault, kindOf, type MapKey, Uint, type Value } from './value.ts';

/** CEL's own conformance tests, as far as they are about what expressions can hold. */

/** A protobuf message as JSON: one of the fields. */
type Json = {
  int64Value?: string;
  uint64Value?: string;
  doubleValue?: number | string;
  stringValue?: string;
  boolValue?: boolean;
  nullValue?: null;
  bytesValue?: string;
  listValue?: { values?: Json[] };
  mapValue?: { entries?: { key: Json; value: Json }[] };
};

type Suite = NonNullable<typeof tests.suites>[number];
type Case = NonNullable<Suite['tests']>[number];
type Test = {
  expr: string;
  container?: string;
  bindings?: Record<string, { value: Json }>;
  value?: Json;
  typedResult?: { result?: Json };
  evalError?: unknown;
};

/** About protobuf messages, or extensions that are left out. */
const otherSuites = [
  'bindings_ext',
  'block_ext',
  'encoders_ext',
  'enums',
  'math_ext',
  'optionals',
  'proto2',
  'proto2_ext',
  'proto3',
  'timestamps',
  'unknowns',
  'wrappers',
];

const leftOut =
  /^(?:messages such as .* are left out here|(?:timestamp|duration|type) is left out here|unknown function "(?:timestamp|duration|type|format|tuple|fn)"|unknown name "(?:strings|msg|google|a|x|optional)")/;

class Unsuited extends Error {}

const specialDoubles: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};

function valueIn(json: Json): Value {
  if (json.int64Value !== undefined) return BigInt(json.int64Value);
  if (json.uint64Value !== undefined) return new Uint(BigInt(json.uint64Value));
  if (json.doubleValue !== undefined) {
    return specialDoubles[json.doubleValue] ?? Number(json.doubleValue);
  }
  if (json.stringValue !== undefined) return json.stringValue;
  if (json.boolValue !== undefined) return json.boolValue;
  if (json.nullValue !== undefined) return null;
  if (json.bytesValue !== undefined) return new Uint8Array(Buffer.from(json.bytesValue, 'base64'));
  if (json.listValue !== undefined) return (json.listValue.values ?? []).map(valueIn);
  if (json.mapValue === undefined) throw new Unsuited();
  const entries = json.mapValue.entries ?? [];
  return new Map(entries.map(({ key, value }) => entryOf(valueIn(key), valueIn(value))));
}

function entryOf(key: Value, value: Value): [MapKey, { key: Value; value: Value }] {
  return [mapKey(key) as MapKey, { key, value }];
}

function namesIn({ bindings = {} }: Test): Map<string, Field> {
  return new Map(
    Object.entries(bindings).map(([name, { value }]) => {
      const bound = valueIn(value);
      return [name, { type: types.dyn, evaluate: () => bound, ofRequest: false }];
    }),
  );
}

function casesIn(suite: Suite): Case[] {
  return [...(suite.tests ?? []), ...(suite.suites ?? []).flatMap(casesIn)];
}

type Verdict = 'passed' | 'unsuited' | 'left out' | string;

function verdictOf({ original, error }: Case): Verdict {
  const test = original as unknown as Test;
  if (test.container !== undefined) return 'unsuited';
  try {
    return judged(test, error !== undefined);
  } catch (error) {
    if (error instanceof Unsuited) return 'unsuited';
    throw error;
  }
}

function judged(test: Test, mayBeRefused: boolean): Verdict {
  const names = namesIn(test);
  const expected = test.value ?? test.typedResult?.result;
  const wanted = expected === undefined ? true : valueIn(expected);
  const frame: Frame = { source: sourceOf(), steps: 0, variables: [] };
  try {
    const nothing = new Map<string, string>();
    const scope = { names, locals: undefined, withheld: nothing, note: () => undefined };
    const result = check(parse(test.expr), scope).evaluate(frame);
    if (test.evalError !== undefined) {
      return result instanceof Fault ? 'passed' : `${test.expr}: no failure`;
    }
    // Of some only the type is told.
    if (test.typedResult !== undefined && expected === undefined) return 'passed';
    if (result instanceof Fault) return `${test.expr}: ${result.reason}`;
    if (Object.is(result, wanted)) return 'passed';
    const isEqual = kindOf(result) === kindOf(wanted) && equals(frame, result, wanted);
    return isEqual ? 'passed' : `${test.expr}: another result`;
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    if (mayBeRefused || test.evalError !== undefined) return 'passed';
    return leftOut.test(error.message) ? 'left out' : `${test.expr}: ${error.message}`;
  }
}

const suites = (tests.suites ?? []).filter(({ name }) => !otherSuites.includes(name));

describe('CEL conformance', () => {
  it.each(suites.map((suite) => [suite.name, suite] as const))('%s', (_, suite) => {
    const verdicts = casesIn(suite).map(verdictOf);
    const wrong = verdicts.filter(
      (verdict) => !['passed', 'unsuited', 'left out'].includes(verdict),
    );
    expect(wrong).toEqual([]);
  });

  it('runs most of it', () => {
    const verdicts = suites.flatMap(casesIn).map(verdictOf);
    expect(verdicts.filter((verdict) => verdict === 'passed').length).toBeGreaterThan(1100);
    expect(verdicts.filter((verdict) => verdict === 'left out').length).toBeLessThan(220);
  });
});
