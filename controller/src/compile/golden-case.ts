import { readdirSync, readFileSync } from 'node:fs';
import { type DescMessage, fromBinary, toJson } from '@bufbuild/protobuf';
import { type AnyObject, defaults, policyKinds, validateObject } from '@gatehouse/crds';
import {
  EndpointsSchema,
  Kind,
  ListenerSchema,
  PolicySchema,
  RouteSchema,
  type Secret,
  SecretSchema,
  UpstreamSchema,
} from '@gatehouse/snapshot';
import { parseAllDocuments } from 'yaml';
import type { Compiled } from './compile.ts';
import type { Resources } from './resources.ts';
import type { Condition } from './status.ts';

/** PEM texts by the placeholder that stands for them, e.g. "a.crt". Keys are never in the repository. */
export type Pems = Readonly<Record<string, string>>;

export const goldenFolder = new URL('./golden/', import.meta.url);

export function goldenNames(): string[] {
  return readdirSync(goldenFolder)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .sort();
}

/** The objects of a case, checked against their schemas as a provider does. */
export function goldenObjects(name: string, pems: Pems): AnyObject[] {
  const text = readFileSync(new URL(`${name}.yaml`, goldenFolder), 'utf8');
  const filled = text.replace(/\$\{(base64 )?([a-z.]+)\}/g, (whole, encoded, key: string) => {
    const pem = pems[key];
    if (pem === undefined) throw new Error(`Cannot fill in ${whole}: there is no such PEM`);
    return encoded ? Buffer.from(pem).toString('base64') : JSON.stringify(pem).slice(1, -1);
  });
  return parseAllDocuments(filled).flatMap((document) => {
    const value: unknown = document.toJS();
    if (value === null) return [];
    const validated = validateObject(value);
    if ('problems' in validated) {
      throw new Error(`Cannot use case "${name}": ${JSON.stringify(validated.problems)}`);
    }
    const { object } = validated;
    object.metadata.namespace ??= defaults.namespace;
    return [object];
  });
}

export function resourcesOf(objects: readonly AnyObject[]): Resources {
  const of = <K extends AnyObject['kind']>(kind: K) =>
    objects.filter((object): object is Extract<AnyObject, { kind: K }> => object.kind === kind);
  return {
    routes: of('Route'),
    upstreams: of('Upstream'),
    gateways: of('Gateway'),
    services: of('Service'),
    endpointSlices: of('EndpointSlice'),
    secrets: of('Secret'),
    namespaces: of('Namespace'),
    referenceGrants: of('ReferenceGrant'),
    policies: policyKinds.flatMap((kind) => of(kind)),
    consumers: of('Consumer'),
    discoveries: [],
  };
}

const schemas = new Map<Kind, DescMessage>([
  [Kind.LISTENER, ListenerSchema],
  [Kind.ROUTE, RouteSchema],
  [Kind.UPSTREAM, UpstreamSchema],
  [Kind.POLICY, PolicySchema],
  [Kind.SECRET, SecretSchema],
  [Kind.ENDPOINTS, EndpointsSchema],
]);

/** A result as text; keys and certificates, made anew for each run, as their placeholders. */
export function goldenText({ config, endpoints, statuses }: Compiled, pems: Pems): string {
  const resources = [...config.values(), ...endpoints.values()].map(({ kind, name, body }) => {
    const schema = schemas.get(kind);
    if (!schema) throw new Error(`Cannot read resource "${name}": kind ${kind} has no schema`);
    const content =
      kind === Kind.SECRET
        ? secretContent(fromBinary(SecretSchema, body), pems)
        : toJson(schema, fromBinary(schema, body));
    return { kind: schema.name, name, body: content };
  });
  return `${JSON.stringify({ resources, statuses }, oneLineConditions, 2)}\n`;
}

/** "Accepted=False NoMatchingParent: why" says the same in a fifth of the lines. */
function oneLineConditions(key: string, value: unknown): unknown {
  if (key !== 'conditions') return value;
  return (value as Condition[]).map(
    ({ type, status, reason, message }) =>
      `${type}=${status} ${reason}${message === '' ? '' : `: ${message}`}`,
  );
}

function secretContent({ type, data }: Secret, pems: Pems) {
  const entries = Object.entries(data).map(([field, bytes]) => {
    let text = Buffer.from(bytes).toString();
    for (const [name, pem] of Object.entries(pems)) text = text.replaceAll(pem, `\${${name}}`);
    return [field, text];
  });
  return { type, data: Object.fromEntries(entries) };
}
