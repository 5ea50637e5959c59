import { defaults } from '../../schema/defaults.ts';
import { duration } from '../../schema/fields.ts';
import { integer, object, optional } from '../../schema/schema.ts';

export const pool = object(
  {
    maxConnections: optional(
      integer({
        description:
          'Connections to one endpoint that a data plane opens at most; its serving threads have equal ' +
          'shares, rounded up. Beyond it requests wait. No limit when left out.',
        minimum: 1,
        maximum: 1_000_000,
      }),
    ),
    maxIdle: optional(
      integer({
        description: 'Idle connections to one endpoint that each worker thread keeps open.',
        minimum: 0,
        maximum: 65535,
        default: defaults.poolMaxIdle,
      }),
    ),
    idleTimeout: optional(
      duration(
        'How long an idle connection is kept. Below that of the backend.',
        defaults.poolIdleTimeout,
      ),
    ),
    maxLifetime: optional(
      duration(
        'How old a connection becomes: an older one is closed when its request has ended, up to a tenth ' +
          'earlier. "0s": any age.',
        defaults.poolMaxLifetime,
      ),
    ),
    queueTimeout: optional(
      duration(
        'How long a request waits for a connection when there are as many as allowed; then 503. "0s": ' +
          'it does not wait.',
        defaults.queueTimeout,
      ),
    ),
  },
  { description: 'Connections to the endpoints.' },
);
