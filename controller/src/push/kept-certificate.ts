import type { Logger } from 'pino';
import {
  ApiFault,
  type ApiServer,
  fieldsOf,
  type Health,
  reasonOf,
  reflect,
  type Timing,
} from '../providers/kubernetes/index.ts';
import { datesOf, type Pair, unsound } from './pair.ts';
import { certificatesIn, defaultSchedule, type Held, renewed, type Schedule } from './rotation.ts';
import { bundleOf, encoded, heldIn } from './trust-secret.ts';

export interface KeepOptions {
  api: ApiServer;
  namespace: string;
  /** Name of the Secret that has certificate, key and authority. It exists; nobody else fills it. */
  secret: string;
  /** Name of the ConfigMap by which data planes are told whom to trust. It exists. */
  configMap: string;
  /** Names and addresses of the server. */
  hosts: readonly string[];
  /** Only one replica writes. */
  leads(): boolean;
  /** Called with each pair that is to be served. */
  use(pair: Pair): void;
  log: Pick<Logger, 'info' | 'warn'>;
  schedule?: Schedule;
  /** Milliseconds since the epoch. */
  now?: () => number;
  /** Milliseconds between two looks at what is due. */
  interval?: number;
  timing?: Timing;
}

export interface KeptCertificate {
  /** Looks at what is due, as when this replica begins to lead. */
  look(): void;
  close(): Promise<void>;
}

interface Found {
  resourceVersion: string;
  data: Record<string, unknown>;
}

/** After a write that failed, in milliseconds. */
const retryPause = 2000;
const writeTimeout = 5000;

/**
 * Keeps the certificate of this server in a Secret: every replica serves what stands there, as soon as
 * it does, and the one that leads makes and renews it. What is unsound is not used; the last sound pair
 * stays in use until there is another.
 */
export function keepCertificate(options: KeepOptions): KeptCertificate {
  const { api, namespace, secret, configMap, hosts, leads, use, log } = options;
  const { schedule = defaultSchedule, now = Date.now, interval = 30_000 } = options;
  const named = {
    secret: `Secret "${namespace}/${secret}"`,
    map: `ConfigMap "${namespace}/${configMap}"`,
  };
  let foundSecret: Found | undefined;
  let foundMap: Found | undefined;
  /** What was in use last: an emptied Secret is filled so that data planes can follow. */
  let last: Held = {};
  let used: Pair | undefined;
  let running: Promise<void> | undefined;
  let retry: NodeJS.Timeout | undefined;
  let again = false;
  let closed = false;
  const told = new Set<string>();

  function tell(sentence: string): void {
    if (told.has(sentence)) return;
    told.add(sentence);
    log.warn(sentence);
  }

  function take(held: Held): void {
    const { server } = held;
    if (server === undefined) return;
    if (used?.certificate === server.certificate && used.key === server.key) return;
    const reason = unsound(server);
    if (reason !== undefined) {
      tell(`Cannot use the certificate of ${named.secret}: ${reason}; the last one stays in use`);
      return;
    }
    told.clear();
    used = server;
    last = held;
    use(server);
    const until = new Date(datesOf(server.certificate).notAfter).toISOString();
    log.info(`Serves data planes by the certificate of ${named.secret}, valid until ${until}`);
  }

  function look(): void {
    again = true;
    running ??= (async () => {
      while (again && !closed) {
        again = false;
        await attempt();
      }
    })().finally(() => {
      running = undefined;
    });
  }

  async function attempt(): Promise<void> {
    if (foundSecret === undefined || foundMap === undefined || !leads()) return;
    const secretNow = foundSecret;
    const mapNow = foundMap;
    try {
      const published = certificatesIn(String(mapNow.data['ca.crt'] ?? ''));
      const held = heldIn(secretNow.data, last);
      const trust = await renewed(held, { now: now(), hosts, published, schedule });
      if (trust !== held) {
        foundSecret = await write('secrets', secret, secretNow, encoded(trust));
        log.info(`Renewed what ${named.secret} holds`);
        take(trust);
      }
      const bundle = bundleOf(trust.authorities);
      if (mapNow.data['ca.crt'] !== bundle) {
        foundMap = await write('configmaps', configMap, mapNow, { 'ca.crt': bundle });
      }
    } catch (error) {
      // Somebody else wrote meanwhile: the watch tells what.
      if (error instanceof ApiFault && error.status === 409) return;
      tell(`Cannot keep the certificate in ${named.secret}: ${reasonOf(error)}; it is tried again`);
      clearTimeout(retry);
      retry = setTimeout(look, retryPause);
    }
  }

  /** Fails when somebody else wrote meanwhile. */
  async function write(
    plural: string,
    name: string,
    { resourceVersion }: Found,
    data: Record<string, string>,
  ): Promise<Found> {
    const answer = await api.request({
      method: 'PATCH',
      path: `/api/v1/namespaces/${namespace}/${plural}/${name}`,
      contentType: 'application/merge-patch+json',
      body: { metadata: { resourceVersion }, data },
      timeout: writeTimeout,
    });
    return foundOf(answer);
  }

  function follow(plural: string, name: string, what: string, onFound: (found?: Found) => void) {
    return reflect<Found>({
      api,
      path: `/api/v1/namespaces/${namespace}/${plural}`,
      query: { fieldSelector: `metadata.name=${name}` },
      ...(options.timing === undefined ? {} : { timing: options.timing }),
      sink: {
        read: foundOf,
        replace: ([found]) => onFound(found),
        change(changes) {
          const end = changes.at(-1);
          if (end) onFound(end.type === 'put' ? end.item : undefined);
        },
      },
      onHealth: (health) => tellHealth(plural, name, what, health),
    });
  }

  function tellHealth(plural: string, name: string, what: string, health: Health): void {
    if (!('reason' in health)) return;
    const remedy =
      health.state === 'forbidden'
        ? `; grant "list", "watch" and "patch" on "${plural}" of the name "${name}" to the controller`
        : '';
    tell(`Cannot ${health.verb} ${what}: ${health.reason}${remedy}`);
  }

  const opened = [
    follow('secrets', secret, named.secret, (found) => {
      foundSecret = found;
      if (found === undefined) tell(missing(named.secret));
      else take(heldIn(found.data, {}));
      look();
    }),
    follow('configmaps', configMap, named.map, (found) => {
      foundMap = found;
      if (found === undefined) tell(missing(named.map));
      look();
    }),
  ];
  const timer = setInterval(look, interval);
  return {
    look,
    async close() {
      closed = true;
      clearInterval(timer);
      clearTimeout(retry);
      await Promise.all([...opened.map((one) => one.close()), running]);
    },
  };
}

function foundOf(object: unknown): Found {
  const { metadata, data } = fieldsOf(object);
  return { resourceVersion: String(fieldsOf(metadata).resourceVersion), data: fieldsOf(data) };
}

function missing(what: string): string {
  return `Cannot keep the controller's certificate: ${what} does not exist; "helm upgrade" makes it again`;
}
