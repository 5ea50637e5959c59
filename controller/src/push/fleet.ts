import { Code, ConnectError } from '@connectrpc/connect';
import {
  type FromDataPlane,
  type Hello,
  type Key,
  keyOf,
  type Manifest,
  type ResourceSet,
} from '@gatehouse/snapshot';
import { EffectiveLane, type RefusedBy } from './effective.ts';
import { createReplicas } from './replicas.ts';
import { type Lanes, type Outcome, Session } from './session.ts';
import type { RefusedUpdate, SessionLane } from './session-lane.ts';

/** What a data plane has in use on one lane. */
export interface LaneView {
  version: string;
  manifest: Manifest;
  /** The update that it refused as a whole, until it takes another. */
  refused: RefusedUpdate | undefined;
}

export interface DataPlaneView {
  node: string;
  zone: string;
  release: string;
  config: LaneView;
  endpoints: LaneView;
}

/** The fleet at one moment. */
export interface FleetView {
  /** By node name. */
  dataPlanes: DataPlaneView[];
  /** Resources whose compiled version some data plane refused, and who. */
  heldBack: ReadonlyMap<Key, readonly RefusedBy[]>;
  /** Resources that do not work at run time although they were taken, and where. */
  troubles: ReadonlyMap<Key, readonly RefusedBy[]>;
  /** Nacks since the start. */
  nacks: number;
}

/** Both lanes with their versions, see versionOf. */
export interface Snapshot {
  config: ResourceSet;
  configVersion: string;
  endpoints: ResourceSet;
  endpointsVersion: string;
  /** Resources that could not be compiled: whoever holds one keeps it. None when left out. */
  keep?: ReadonlySet<Key>;
  /** Data planes are to know at once how many they are; else they learn it with other news. */
  shares?: boolean;
}

/** How a stream is told about its session. */
export interface Stream {
  /** There may be something to send. */
  wake(): void;
  /** The session is over. */
  end(reason: ConnectError): void;
}

/** All data planes that are connected, and what is pushed to them. */
export class Fleet {
  readonly #lanes: Lanes = {
    config: new EffectiveLane(),
    endpoints: new EffectiveLane(),
    replicas: 0,
    shares: false,
  };
  readonly #replicas = createReplicas((replicas) => {
    this.#lanes.replicas = replicas;
    for (const stream of this.#streams.values()) stream.wake();
  });
  readonly #streams = new Map<Session, Stream>();
  readonly #onChange: () => void;
  #nacks = 0;

  /** `onChange` is called whenever `view()` may have changed. */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Sends what changed to whoever does not have it. */
  publish({ config, configVersion, endpoints, endpointsVersion, keep, shares }: Snapshot): void {
    this.#lanes.config.publish(config, configVersion, keep);
    this.#lanes.endpoints.publish(endpoints, endpointsVersion, keep);
    this.#lanes.shares = shares ?? false;
    this.#changed();
  }

  /** Data planes that are connected. */
  get size(): number {
    return this.#streams.size;
  }

  /** Tells data planes how many they are, here or anywhere. */
  count(dataPlanes: number): void {
    this.#replicas.count(dataPlanes);
  }

  /** Of two streams of one node the newer one is the data plane: the older may be a dead peer. */
  open(hello: Hello, stream: Stream): Session {
    for (const session of this.#streams.keys()) {
      if (session.node === hello.node) this.#cut(session, replaced(hello.node));
    }
    const session = new Session(hello, this.#lanes);
    this.#streams.set(session, stream);
    this.#replicas.claim(hello.replicas);
    this.#onChange();
    return session;
  }

  /** Takes an answer of a data plane. */
  answer(session: Session, message: FromDataPlane['message']): Outcome {
    if (!this.#streams.has(session)) return 'ignored';
    const outcome = session.answer(message);
    if (message.case === 'nack') this.#nacks++;
    if (outcome === 'broken') this.#cut(session, broken(session.node));
    if (outcome === 'refused') this.#changed();
    else this.#streams.get(session)?.wake();
    if (outcome === 'applied' || outcome === 'told') this.#onChange();
    return outcome;
  }

  close(session: Session): void {
    if (this.#streams.delete(session)) this.#onChange();
  }

  view(): FleetView {
    const dataPlanes = [...this.#streams.keys()].map(dataPlaneOf);
    dataPlanes.sort((a, b) => (a.node < b.node ? -1 : 1));
    const { config, endpoints } = this.#lanes;
    const heldBack = new Map([...config.heldBack, ...endpoints.heldBack]);
    return { dataPlanes, heldBack, troubles: this.#troubles(), nacks: this.#nacks };
  }

  #troubles(): FleetView['troubles'] {
    const troubles = new Map<Key, RefusedBy[]>();
    for (const { node, troubles: own } of this.#streams.keys()) {
      for (const { kind, name, path, reason, notice } of own) {
        const key = keyOf(kind, name);
        const told = { node, path, reason, ...(notice ? { notice } : {}) };
        troubles.set(key, [...(troubles.get(key) ?? []), told]);
      }
    }
    return troubles;
  }

  /** Ends the stream of a data plane; it will open another. */
  cut(node: string): void {
    const reason = new ConnectError('the stream was cut by the controller', Code.Unavailable);
    for (const session of [...this.#streams.keys()]) {
      if (session.node === node) this.#cut(session, reason);
    }
  }

  /** Ends every stream. */
  shutDown(): void {
    const reason = new ConnectError('the controller stops', Code.Unavailable);
    for (const session of [...this.#streams.keys()]) this.#cut(session, reason);
    this.#replicas.close();
  }

  #cut(session: Session, reason: ConnectError): void {
    const stream = this.#streams.get(session);
    this.#streams.delete(session);
    stream?.end(reason);
    this.#onChange();
  }

  #changed(): void {
    for (const stream of this.#streams.values()) stream.wake();
    this.#onChange();
  }
}

function dataPlaneOf({ node, zone, release, config, endpoints }: Session): DataPlaneView {
  return { node, zone, release, config: laneOf(config), endpoints: laneOf(endpoints) };
}

function laneOf({ version, manifest, refused }: SessionLane): LaneView {
  return { version, manifest, refused };
}

function replaced(node: string): ConnectError {
  return new ConnectError(`another data plane connected as "${node}"`, Code.Aborted);
}

function broken(node: string): ConnectError {
  return new ConnectError(`a full update did not reach "${node}" whole`, Code.DataLoss);
}
