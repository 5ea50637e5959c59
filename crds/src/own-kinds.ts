import { type Kind, kinds } from './kinds.ts';
import { type PolicyKind, policies, policyKinds } from './policies.ts';
import { policyStatus, routeStatus, upstreamStatus } from './resources/status.ts';
import { nodeOf, type SchemaNode } from './schema/node.ts';

/** A kind that is installed as a CRD: its names for kubectl and its schemas. */
export type OwnKind = {
  kind: Kind;
  plural: string;
  shortNames: string[];
  /** Columns of `kubectl get` beside Accepted, Programmed and Age. */
  columns: { name: string; jsonPath: string; description: string }[];
  description: string;
  spec: SchemaNode;
  status: SchemaNode;
};

function ownKind(
  kind: 'Route' | 'Upstream' | 'Consumer' | PolicyKind,
  status: unknown,
  names: Pick<OwnKind, 'plural' | 'shortNames' | 'columns'>,
): OwnKind {
  const { spec } = kinds[kind].properties;
  const { description } = nodeOf(kinds[kind]);
  return {
    kind,
    ...names,
    description: description ?? '',
    spec: nodeOf(spec),
    status: nodeOf(status),
  };
}

const targetsColumn = {
  name: 'Targets',
  jsonPath: '.spec.targetRefs[*].name',
  description: 'What the policy applies to.',
};

/** Every kind of ours, in the order of the reference page. OpenShift has `routes`, so the short name of Route says whose it is. */
export const ownKinds: readonly OwnKind[] = [
  ownKind('Route', routeStatus, {
    plural: 'routes',
    shortNames: ['ghroute', 'ghr'],
    columns: [
      {
        name: 'Hostnames',
        jsonPath: '.spec.hostnames',
        description: 'Hosts the Route answers for.',
      },
    ],
  }),
  ownKind('Upstream', upstreamStatus, { plural: 'upstreams', shortNames: ['ups'], columns: [] }),
  ...policyKinds.map((kind) => {
    const { plural, shortNames } = policies[kind];
    return ownKind(kind, policyStatus, {
      plural,
      shortNames: [...shortNames],
      columns: [targetsColumn],
    });
  }),
  ownKind('Consumer', upstreamStatus, {
    plural: 'consumers',
    shortNames: ['cons'],
    columns: [{ name: 'Plan', jsonPath: '.spec.plan', description: 'Plan of the client.' }],
  }),
];
