import { pathText } from '@gatehouse/crds';
import type { Logger } from 'pino';
import { checkSecret } from '../../compile/certificates.ts';
import type { ObjectKey } from '../../store/key.ts';
import type { Store } from '../../store/store.ts';
import { type Admitted, admit } from './admit.ts';
import type { ApiServer, Query } from './api-server.ts';
import { type GatewayClass, gatewayClasses } from './gateway-classes.ts';
import { healthText } from './health-text.ts';
import { type Intake, intake, type Seen } from './intake.ts';
import { type Progress, progressKey } from './progress.ts';
import { readiness } from './readiness.ts';
import { type Health, reflect, type Sink, type Timing } from './reflector.ts';
import {
  gatewayClassResource,
  pathOf,
  type Resource,
  reportedKinds,
  secretResource,
  storedResources,
} from './resources.ts';
import { followSecrets } from './secrets.ts';
import { servedVersions } from './served-versions.ts';

export interface ClusterOptions {
  api: ApiServer;
  store: Store;
  /** Only these; all when empty. */
  namespaces: readonly string[];
  log: Pick<Logger, 'info' | 'warn'>;
  /** Something that statuses depend on has changed beside the store. */
  onSeen(): void;
  timing?: Timing;
}

export interface ClusterWatch {
  /** Resolves when everything that there is has been read once. */
  ready: Promise<void>;
  /** What it waits for. */
  waiting(): string[];
  /** How far each collection was followed; all of it is in the store. */
  progress(): Progress;
  /** Routes, Upstreams and the Gateways that are ours. */
  seen: ReadonlyMap<ObjectKey, Seen>;
  /** Those that are ours. */
  classes(): GatewayClass[];
  /** See Secrets. */
  secretTroubles(): ReadonlyMap<string, string>;
  close(): Promise<void>;
}

/** Keeps the store equal to what is in a cluster until closed. */
export function watchCluster(options: ClusterOptions): ClusterWatch {
  const { api, store, namespaces, log, onSeen, timing } = options;
  const ready = readiness();
  const progress: Record<string, number> = {};
  const seen = new Map<ObjectKey, Seen>();
  const oddities = new Map<ObjectKey, string>();
  const gateways: Intake[] = [];
  const opened: { close(): Promise<void> }[] = [];

  const classes = gatewayClasses(() => {
    for (const one of gateways) one.refilter();
    onSeen();
  });

  const secrets = followSecrets({
    store,
    judge(secret) {
      const checked = checkSecret(secret);
      return 'reason' in checked ? checked.reason : undefined;
    },
    follow: (namespace, name, onObject) => {
      const query = { fieldSelector: `metadata.name=${name}` };
      return follow(secretResource, namespace, query, ` "${namespace}/${name}"`, {
        read: (object) => object,
        replace: ([object]) => onObject(object),
        change: (changes) => {
          const last = changes.at(-1);
          if (last) onObject(last.type === 'put' ? last.item : undefined);
        },
      });
    },
    onTrouble: onSeen,
  });

  function follow<T>(
    resource: Resource,
    namespace: string | undefined,
    query: Query,
    where: string,
    sink: Sink<T>,
  ): { close(): Promise<void> } {
    const path = pathOf(resource, namespace);
    const name = `${path}${where}`;
    ready.expect(name);
    let trouble = false;
    const reflector = reflect({
      api,
      path,
      query,
      sink,
      otherVersions: () => servedVersions(api, resource),
      ...(timing === undefined ? {} : { timing }),
      onHealth(health) {
        const good = health.state === 'current';
        if (!good) log.warn(healthText(resource, where, health));
        else if (trouble) log.info(healthText(resource, where, health));
        trouble = !good;
        if (settles(resource, health)) ready.settle(name);
      },
    });
    return {
      async close() {
        await reflector.close();
        ready.settle(name);
      },
    };
  }

  function tellOddity(item: Admitted, kept: boolean): void {
    const mistakes = item.problems.map(({ path, message }) => `${pathText(path)}: ${message}`);
    const newer = item.unknown.map(
      (path) => `${pathText(path)}: is not known to this release and has no effect`,
    );
    const text = [...mistakes, ...newer].join('; ');
    if (oddities.get(item.key) === text) return;
    oddities.set(item.key, text);
    const rest = kept && mistakes.length > 0 ? '; its last good version stays in use' : '';
    log.warn(`${nameOf(item.key)}: ${text}${rest}`);
  }

  for (const resource of storedResources) {
    const scopes = resource.namespaced && namespaces.length > 0 ? namespaces : [undefined];
    for (const namespace of scopes) {
      const isGateway = resource.kind === 'Gateway';
      const key = progressKey(resource.kind, namespace);
      const keepsSeen = reportedKinds.has(resource.kind);
      const one = intake({
        store,
        seen,
        keepsSeen,
        read: (object) => admit(resource, object),
        ...(isGateway ? { isOurs: ({ className }) => classes.isOurs(className) } : {}),
        onProgress(version) {
          progress[key] = version;
          if (keepsSeen) onSeen();
        },
        onOddity: tellOddity,
      });
      if (isGateway) gateways.push(one);
      const where = namespace === undefined ? '' : ` in namespace "${namespace}"`;
      opened.push(follow(resource, namespace, {}, where, one));
    }
  }
  opened.push(follow(gatewayClassResource, undefined, {}, '', classes));

  return {
    ready: ready.ready,
    waiting: ready.waiting,
    progress: () => ({ ...progress }),
    seen,
    classes: classes.list,
    secretTroubles: secrets.troubles,
    async close() {
      await Promise.all([...opened, secrets].map((one) => one.close()));
    },
  };
}

/** Whether enough is known about a collection to go on without it: where there can be no objects. */
function settles({ required }: Resource, { state }: Health): boolean {
  if (state === 'forbidden' || state === 'moved') return !required;
  return state === 'current' || state === 'absent';
}

function nameOf(key: ObjectKey): string {
  const [kind, namespace, name] = key.split('/');
  return `${kind} "${namespace}/${name}"`;
}
