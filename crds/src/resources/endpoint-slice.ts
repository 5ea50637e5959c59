import { port } from '../schema/fields.ts';
import {
  array,
  boolean,
  oneOf,
  openObject,
  optional,
  type Static,
  string,
} from '../schema/schema.ts';

const condition = (description: string) => optional(boolean({ description }));

const endpoint = openObject(
  {
    addresses: array(string({ description: 'IP address.', minLength: 1, maxLength: 253 }), {
      description: 'Addresses; the first one is used, as kube-proxy does.',
      minItems: 1,
      maxItems: 100,
    }),
    conditions: optional(
      openObject(
        {
          ready: condition('Ready for new requests; true when left out.'),
          serving: condition('Able to serve, terminating or not; that of ready when left out.'),
          terminating: condition('Being deleted.'),
        },
        { description: 'State of the endpoint.' },
      ),
    ),
    targetRef: optional(
      openObject(
        {
          kind: optional(string({ description: 'Kind, mostly Pod.', maxLength: 63 })),
          name: optional(string({ description: 'Name.', maxLength: 253 })),
        },
        { description: 'What the endpoint is.' },
      ),
    ),
    zone: optional(string({ description: 'Zone of the endpoint.', maxLength: 253 })),
    hints: optional(
      openObject(
        {
          forZones: optional(
            array(
              openObject(
                { name: string({ description: 'Name of the zone.', maxLength: 253 }) },
                { description: 'A zone.' },
              ),
              { description: 'Zones that should use the endpoint.', maxItems: 64 },
            ),
          ),
        },
        { description: 'Who should use the endpoint.' },
      ),
    ),
  },
  { description: 'One backend pod.' },
);

/** discovery.k8s.io/v1 EndpointSlice, the fields that Gatehouse reads (they have no spec). */
export const endpointSliceFields = {
  addressType: oneOf(['IPv4', 'IPv6', 'FQDN'], { description: 'Type of the addresses.' }),
  endpoints: array(endpoint, { description: 'Endpoints.', maxItems: 1000 }),
  ports: optional(
    array(
      openObject(
        {
          name: optional(string({ description: 'Name of the Service port.', maxLength: 63 })),
          port: optional(port('Port.')),
          protocol: optional(string({ description: 'TCP when left out.', maxLength: 8 })),
        },
        { description: 'A port.' },
      ),
      { description: 'Ports of every endpoint.', maxItems: 100 },
    ),
  ),
};

const slice = openObject(endpointSliceFields, { description: 'Endpoints of a Service.' });
export type EndpointSliceFields = Static<typeof slice>;
