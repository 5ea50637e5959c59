import { port } from '../schema/fields.ts';
import { array, openObject, optional, type Static, string } from '../schema/schema.ts';

/** v1 Service, the fields that Gatehouse reads. */
export const serviceSpec = openObject(
  {
    ports: optional(
      array(
        openObject(
          {
            name: optional(string({ description: 'Name of the port.', maxLength: 63 })),
            port: port('Port of the Service.'),
            protocol: optional(string({ description: 'TCP when left out.', maxLength: 8 })),
            appProtocol: optional(
              string({
                description:
                  'What is spoken (GEP-1911); "kubernetes.io/h2c" is HTTP/2 without TLS.',
                maxLength: 253,
              }),
            ),
          },
          { description: 'A port.' },
        ),
        { description: 'Ports.', maxItems: 256 },
      ),
    ),
  },
  { description: 'Ports of the Service.' },
);

export type ServiceSpec = Static<typeof serviceSpec>;
