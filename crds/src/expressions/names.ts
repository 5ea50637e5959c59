import { type Evaluate, type Frame, spend } from './frame.ts';
import { queryValue } from './query.ts';
import type { ExpressionScope } from './source.ts';
import { type Field, list, map, type Read, type Type, types } from './type.ts';
import type { JsonMap } from './value.ts';

/** What the names of an expression stand for. */
export type Names = ReadonlyMap<string, Field>;

const nobody = {
  id: '',
  method: '',
  roles: [],
  scopes: [],
  consumer: '',
  plan: '',
  claims: Object.freeze({}),
};

function identityOf({ source }: Frame) {
  return source.identity ?? nobody;
}

const readHeader: Read = ({ source }, name) => source.header(name);

const readParameter: Read = (frame, name) => {
  const { query } = frame.source;
  return spend(frame, query.length >> 4) ? undefined : queryValue(query, name, frame);
};

const ofRequest = (type: Type, evaluate: Evaluate): Field => ({ type, evaluate, ofRequest: true });
const ofIdentity = (type: Type, evaluate: Evaluate): Field => ({
  type,
  evaluate,
  ofRequest: false,
});

/** What is no value is never evaluated, only looked into. */
const nothing: Evaluate = () => null;

function object(name: string, fields: Readonly<Record<string, Field>>): [string, Field] {
  const type: Type = { kind: 'object', name, fields: new Map(Object.entries(fields)) };
  return [name, ofIdentity(type, nothing)];
}

function lookup(name: string, read: Read, lowerCase: boolean): Field {
  return ofRequest({ kind: 'lookup', name, read, lowerCase }, nothing);
}

const claims = ofIdentity(
  map(types.string, types.json),
  // What JSON.parse gives is CEL's values.
  (frame) => identityOf(frame).claims as JsonMap,
);

const request = object('request', {
  method: ofRequest(types.string, ({ source }) => source.method),
  path: ofRequest(types.string, ({ source }) => source.path),
  host: ofRequest(types.string, ({ source }) => source.host),
  scheme: ofRequest(types.string, ({ source }) => source.scheme),
  id: ofRequest(types.string, ({ source }) => source.requestId),
  query: lookup('request.query', readParameter, false),
  headers: lookup('request.headers', readHeader, true),
  size: ofRequest(types.int, ({ source }) => BigInt(source.bodySize)),
  route: ofRequest(types.string, ({ source }) => source.route),
  rule: ofRequest(types.string, ({ source }) => source.rule),
});

const client = object('client', {
  address: ofRequest(types.string, ({ source }) => source.clientAddress),
});

const identity = object('identity', {
  id: ofIdentity(types.string, (frame) => identityOf(frame).id),
  method: ofIdentity(types.string, (frame) => identityOf(frame).method),
  roles: ofIdentity(list(types.string), (frame) => identityOf(frame).roles),
  scopes: ofIdentity(list(types.string), (frame) => identityOf(frame).scopes),
  consumer: ofIdentity(types.string, (frame) => identityOf(frame).consumer),
  plan: ofIdentity(types.string, (frame) => identityOf(frame).plan),
  claims,
});

export const namesOf: Readonly<Record<ExpressionScope, Names>> = {
  request: new Map([request, client]),
  identity: new Map([request, client, identity, ['claims', claims]]),
};
