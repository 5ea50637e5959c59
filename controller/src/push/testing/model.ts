import { create } from '@bufbuild/protobuf';
import type { ConnectError } from '@connectrpc/connect';
import {
  applyUpdate,
  emptySet,
  FromDataPlaneSchema,
  HelloSchema,
  Lane,
  type Resource,
  type ResourceSet,
  type Update,
} from '@gatehouse/snapshot';
import type { Fleet } from '../fleet.ts';
import type { Session } from '../session.ts';

/** Why a resource does not link; undefined when it does. */
export type Judge = (resource: Resource) => { path: string; reason: string } | undefined;

/** A data plane without a network: what it holds outlives its streams. */
export function modelDataPlane(
  fleet: Fleet,
  node: string,
  judge: Judge = () => undefined,
  config: ResourceSet = emptySet,
  endpoints: ResourceSet = emptySet,
) {
  const held: Record<number, ResourceSet> = {
    [Lane.CONFIG]: config,
    [Lane.ENDPOINTS]: endpoints,
  };
  const of = (lane: Lane) => held[lane] ?? emptySet;
  const received: Update[] = [];
  let session: Session | undefined;
  let ended: ConnectError | undefined;

  function answer(update: Update): void {
    const { lane, version } = update;
    const next = applyUpdate(of(lane), update);
    const refusals = [...next.values()].flatMap((resource) => {
      const reason = judge(resource);
      return reason ? [{ kind: resource.kind, name: resource.name, ...reason }] : [];
    });
    if (refusals.length === 0) held[lane] = next;
    const message =
      refusals.length === 0
        ? { case: 'ack' as const, value: { lane, version } }
        : { case: 'nack' as const, value: { lane, version, refusals } };
    if (session) fleet.answer(session, create(FromDataPlaneSchema, { message }).message);
  }

  return {
    received,
    config: () => of(Lane.CONFIG),
    endpoints: () => of(Lane.ENDPOINTS),
    session: () => session,
    ended: () => ended,
    connect() {
      if (session) fleet.close(session);
      const resources = [...of(Lane.CONFIG).values(), ...of(Lane.ENDPOINTS).values()];
      const claims = resources.map(({ kind, name, hash }) => ({ kind, name, hash }));
      ended = undefined;
      session = fleet.open(create(HelloSchema, { node, held: claims }), {
        wake: () => undefined,
        end(reason) {
          ended = reason;
          session = undefined;
        },
      });
    },
    drop() {
      if (session) fleet.close(session);
      session = undefined;
    },
    /** Takes the next update without answering. */
    take(): Update | undefined {
      const update = session?.next();
      if (update) received.push(update);
      return update;
    },
    answer,
    /** Takes and answers one update; false when there was none. */
    step(): boolean {
      const update = this.take();
      if (update) answer(update);
      return update !== undefined;
    },
  };
}

/** Lets all data planes take and answer until there is nothing left. @throws when that never ends. */
export function settle(dataPlanes: { step(): boolean }[]): void {
  for (let rounds = 0; rounds < 1000; rounds++) {
    if (!dataPlanes.map((dataPlane) => dataPlane.step()).includes(true)) return;
  }
  throw new Error('the fleet does not settle');
}
