import { defaults } from '../schema/defaults.ts';
import { hostname, name, namespace, objectName, port } from '../schema/fields.ts';
import {
  array,
  oneOf,
  openObject,
  optional,
  type Static,
  string,
  stringMap,
} from '../schema/schema.ts';

const certificateRef = openObject(
  {
    kind: optional(oneOf(['Secret'], { description: 'Always Secret.', default: 'Secret' })),
    name: objectName('Name of a Secret of type kubernetes.io/tls.'),
    namespace: optional(namespace('Namespace of the Secret; that of the Gateway when left out.')),
  },
  { description: 'A certificate and its key.' },
);

const labelSelector = openObject(
  {
    matchLabels: optional(
      stringMap({ description: 'Labels that must be there.', maxProperties: 64 }),
    ),
    matchExpressions: optional(
      array(
        openObject(
          {
            key: string({ description: 'Key of the label.', minLength: 1, maxLength: 317 }),
            operator: string({
              description: 'In, NotIn, Exists or DoesNotExist.',
              minLength: 1,
              maxLength: 63,
            }),
            values: optional(
              array(string({ description: 'A value.', maxLength: 63 }), {
                description: 'Values for In and NotIn.',
                maxItems: 256,
              }),
            ),
          },
          { description: 'A condition on one label.' },
        ),
        { description: 'Conditions, all must hold.', maxItems: 64 },
      ),
    ),
  },
  { description: 'Labels of namespaces; needed for Selector. Empty: every namespace.' },
);

const listener = openObject(
  {
    name: name('Unique in the Gateway.'),
    hostname: optional(hostname('Only requests for this host; any host when left out.')),
    port: port('TCP port to listen on.'),
    protocol: oneOf(['HTTP', 'HTTPS'], { description: 'Protocol.' }),
    tls: optional(
      openObject(
        {
          mode: optional(oneOf(['Terminate'], { description: 'Always Terminate.' })),
          certificateRefs: optional(
            array(certificateRef, { description: 'Certificates.', maxItems: 64 }),
          ),
          options: optional(
            stringMap({
              description:
                'Settings by name; gatehouse.dev/min-tls-version is "1.2" (default) or "1.3".',
              maxProperties: 16,
            }),
          ),
        },
        { description: 'Needed for HTTPS.' },
      ),
    ),
    allowedRoutes: optional(
      openObject(
        {
          namespaces: optional(
            openObject(
              {
                from: optional(
                  oneOf(['All', 'Same', 'Selector', 'None'], {
                    description: 'Namespaces whose Routes may attach.',
                    default: defaults.allowedRoutesFrom,
                  }),
                ),
                selector: optional(labelSelector),
              },
              { description: 'Namespaces.' },
            ),
          ),
        },
        { description: 'Which Routes may attach.' },
      ),
    ),
  },
  { description: 'A port with its protocol.' },
);

/** gateway.networking.k8s.io/v1 Gateway, the fields that Gatehouse reads. */
export const gatewaySpec = openObject(
  {
    gatewayClassName: string({
      description: 'Class of the Gateway.',
      minLength: 1,
      maxLength: 253,
    }),
    listeners: array(listener, {
      description: 'Ports to listen on.',
      minItems: 1,
      maxItems: 64,
      listMapKeys: ['name'],
    }),
  },
  { description: 'Listeners of the gateway.' },
);

export type GatewaySpec = Static<typeof gatewaySpec>;
export type GatewayListener = GatewaySpec['listeners'][number];
