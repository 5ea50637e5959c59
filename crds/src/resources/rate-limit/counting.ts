import { defaults } from '../../schema/defaults.ts';
import { duration, secretKeyRef } from '../../schema/fields.ts';
import {
  array,
  boolean,
  object,
  oneOf,
  optional,
  type Static,
  string,
} from '../../schema/schema.ts';

const address = string({
  description: 'host:port',
  minLength: 3,
  maxLength: 300,
  pattern: '^[^/@\\s]+:[0-9]{1,5}$',
});

const redis = object(
  {
    addresses: array(address, {
      description: 'One server; several of a cluster; or the sentinels.',
      minItems: 1,
      maxItems: 16,
    }),
    mode: optional(
      oneOf(['Single', 'Cluster', 'Sentinel'], {
        description: 'What the addresses are.',
        default: 'Single',
      }),
    ),
    master: optional(
      string({ description: 'Name of the master, with Sentinel.', minLength: 1, maxLength: 253 }),
    ),
    username: optional(
      string({ description: 'User of its ACL; the default one.', minLength: 1, maxLength: 253 }),
    ),
    passwordSecretRef: optional(secretKeyRef('Password.', 'password')),
    sentinelPasswordSecretRef: optional(
      secretKeyRef('Password of the sentinels, with Sentinel; none when left out.', 'password'),
    ),
    withoutPassword: optional(
      boolean({ description: 'Says that there is none on purpose.', default: false }),
    ),
    tls: optional(
      object(
        {
          caSecretRef: optional(
            secretKeyRef('Authorities, as PEM; those of the system when left out.', 'ca.crt'),
          ),
          serverName: optional(
            string({ description: 'Name in its certificate.', minLength: 1, maxLength: 253 }),
          ),
        },
        { description: 'Speak TLS.' },
      ),
    ),
    timeout: optional(
      duration('Limit for one answer, from "1ms" to "10s".', defaults.redisTimeout),
    ),
    keyPrefix: optional(
      string({
        description: 'What all keys start with; another one for each fleet that shares a Redis.',
        minLength: 1,
        maxLength: 63,
        pattern: '^[^{}\\s]+$',
        default: defaults.redisKeyPrefix,
      }),
    ),
  },
  {
    description: 'A Redis, or what speaks its protocol.',
    rules: [
      {
        rule: "(has(self.mode) && self.mode == 'Sentinel') == has(self.master)",
        message: 'master goes with the mode Sentinel',
      },
      {
        rule: '!has(self.sentinelPasswordSecretRef) || has(self.master)',
        message: 'sentinelPasswordSecretRef goes with the mode Sentinel',
      },
      {
        rule: "(has(self.mode) && self.mode != 'Single') || self.addresses.size() == 1",
        message: 'several addresses go with the modes Cluster and Sentinel',
      },
      {
        rule: 'has(self.passwordSecretRef) != (has(self.withoutPassword) && self.withoutPassword)',
        message: 'give passwordSecretRef, or say withoutPassword: true',
      },
    ],
  },
);

export const counting = object(
  {
    store: optional(
      oneOf(['Local', 'Shared', 'Redis'], {
        description:
          'Local: each data plane by itself, exact over its threads. Shared: each data plane its share ' +
          'of the limit, as they come and go. Redis: all together.',
        default: defaults.rateLimitStore,
      }),
    ),
    redis: optional(redis),
    failureMode: optional(
      oneOf(['Open', 'Closed', 'Local'], {
        description:
          'While Redis cannot be asked: let all pass, let none pass (503), or count as Local, which is so when left out.',
      }),
    ),
    headers: optional(
      boolean({
        description: 'Whether answers carry RateLimit and X-RateLimit headers.',
        default: true,
      }),
    ),
  },
  {
    description: 'Where requests are counted.',
    rules: [
      {
        rule: "(has(self.store) && self.store == 'Redis') == has(self.redis)",
        message: 'redis goes with the store Redis',
      },
      {
        rule: '!has(self.failureMode) || has(self.redis)',
        message: 'failureMode goes with the store Redis',
      },
    ],
  },
);

export type Counting = Static<typeof counting>;
