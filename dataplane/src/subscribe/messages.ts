import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  type FromDataPlane,
  FromDataPlaneSchema,
  type HeldSchema,
  type ResourceSet,
} from '@gatehouse/snapshot';
import type { Answer, Held, Refused } from './lanes.ts';

type Inner = NonNullable<MessageInitShape<typeof FromDataPlaneSchema>['message']>;

const message = (inner: Inner): FromDataPlane => create(FromDataPlaneSchema, { message: inner });

/** The opening message; `held` undefined asks for everything. */
export function helloOf(
  {
    node,
    zone,
    release,
    replicas,
  }: { node: string; zone: string; release: string; replicas: number },
  held: Held | undefined,
): FromDataPlane {
  const claims: MessageInitShape<typeof HeldSchema>[] = [];
  const claim = (set: ResourceSet) => {
    for (const { kind, name, hash } of set.values()) claims.push({ kind, name, hash });
  };
  if (held !== undefined) {
    claim(held.config);
    claim(held.endpoints);
  }
  return message({ case: 'hello', value: { node, zone, release, held: claims, replicas } });
}

export function answerOf(lane: number, answer: Answer): FromDataPlane {
  const { version } = answer;
  if (answer.ok) return message({ case: 'ack', value: { lane, version } });
  const { refusals, resend } = answer;
  return message({ case: 'nack', value: { lane, version, refusals, resend } });
}

/** Asks for a whole lane without an update to answer. */
export function resendOf(lane: number, version: string): FromDataPlane {
  return message({ case: 'nack', value: { lane, version, resend: true } });
}

/** All that does not work at run time. */
export function healthOf(problems: Refused[]): FromDataPlane {
  return message({ case: 'health', value: { problems } });
}
