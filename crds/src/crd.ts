import { group, version } from './kinds.ts';
import type { OwnKind } from './own-kinds.ts';

const conditionColumns = [
  ['Accepted', 'Whether the object makes sense.'],
  ['Programmed', 'Whether every data plane serves it.'],
].map(([name, description]) => ({
  name,
  type: 'string',
  jsonPath: `.status.conditions[?(@.type=="${name}")].status`,
  description,
}));

/** The CustomResourceDefinition of a kind, as plain data. */
export function crdOf({ kind, plural, shortNames, columns, description, spec, status }: OwnKind) {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames,
        categories: ['gatehouse'],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [
            ...columns.map((column) => ({ type: 'string', ...column })),
            ...conditionColumns,
            { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
          ],
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description,
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string', description: 'Version of the schema.' },
                kind: { type: 'string', description: 'Kind of the object.' },
                metadata: { type: 'object' },
                spec,
                status,
              },
            },
          },
        },
      ],
    },
  };
}
