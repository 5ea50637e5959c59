import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

export type Options = CommonOptions & (FolderOptions | ClusterOptions);

export interface FolderOptions {
  /** Folder of YAML resources. */
  configFolder: string;
  /** The token that data planes present. */
  token: string;
  cluster?: undefined;
}

export interface ClusterOptions {
  configFolder?: undefined;
  token?: undefined;
  cluster: {
    /** Undefined: the cluster that this process runs in. */
    kubeconfig: string | undefined;
    /** Namespaces that are watched; all when empty. */
    namespaces: string[];
    /** As whom data planes may connect, "<namespace>/<name>". */
    dataPlanes: string[];
    /** Service of the data planes, "<namespace>/<name>": whoever is ready behind it has to serve. */
    dataPlaneService: string | undefined;
    /** Name of this replica. */
    podName: string;
    /** metadata.uid of its Pod, which then owns what the replica makes for itself. */
    podUid: string | undefined;
    /** Where the Leases of the controller are. */
    namespace: string;
    /** False: the only replica, which leads at once. */
    elect: boolean;
    /** The certificate that the controllers keep themselves; undefined: there are files, or one a process. */
    certificate: KeptCertificateOptions | undefined;
  };
}

export interface KeptCertificateOptions {
  /** Name of the Secret that holds it, in the namespace of the Leases. */
  secret: string;
  /** Name of the ConfigMap that tells data planes whom to trust, in the same namespace. */
  caConfigMap: string;
  /** Names and addresses that it is for. */
  hosts: string[];
}

export interface CommonOptions {
  grpcHost: string;
  /** 0: any free port. */
  grpcPort: number;
  adminHost: string;
  /** 0: any free port. */
  adminPort: number;
  /** Paths of the PEM files of the server, which may be replaced at any time. */
  tls: { certificate: string; key: string } | undefined;
  /** Where the authority of a pair that was made is written. */
  caOut: string | undefined;
  /** Replaces the port of the first HTTP listener. */
  httpPort: number | undefined;
  logLevel: string;
}

/** A mistake in the command line, in one sentence. */
export class OptionsError extends Error {}

export const usage = `Usage: controller --config-folder FOLDER [options]
       controller --kubernetes --data-plane-service-account NAMESPACE/NAME [options]

  --config-folder FOLDER  resources as YAML files, watched for changes
  --kubernetes            resources of a cluster; statuses are written there
  --kubeconfig FILE       which cluster; else the one that this process runs in
  --watch-namespaces A,B  only resources of these namespaces
  --data-plane-service-account NAMESPACE/NAME
                          who may connect, with a token for the audience "gatehouse";
                          may be given more than once
  --data-plane-service NAMESPACE/NAME
                          the Service of the data planes: all that are ready behind it
                          have to serve an object before it is Programmed
  --pod-name NAME         name of this replica; else in POD_NAME
  --namespace NAMESPACE   where the Leases of the controller are; else in POD_NAMESPACE
  --leader-elect BOOL     false for the only replica (true)
  --grpc-host HOST        where data planes connect (127.0.0.1)
  --grpc-port PORT        0 for any free port (18000)
  --admin-host HOST       where health, status and metrics are served (127.0.0.1)
  --admin-port PORT       0 for any free port (9902)
  --token-file FILE       the token that data planes present; else in GATEHOUSE_TOKEN
  --tls-cert FILE         certificate of the gRPC server, PEM; made at start when left out
  --tls-key FILE          its key, PEM; both are read again when they change
  --tls-ca-out FILE       where the authority of a certificate that was made is written
  --tls-secret NAME       Secret in which the controllers of a cluster keep a certificate that
                          they make and renew by themselves
  --tls-ca-config-map NAME
                          ConfigMap by which data planes are told whom to trust
  --tls-names A,B         names and addresses that the certificate is for
  --http-port PORT        replaces the port of the first HTTP listener
  --log-level LEVEL       trace, debug, info, warn, error, fatal or silent (info)
`;

const flags = {
  'config-folder': { type: 'string' },
  kubernetes: { type: 'boolean', default: false },
  kubeconfig: { type: 'string' },
  'watch-namespaces': { type: 'string' },
  'data-plane-service-account': { type: 'string', multiple: true },
  'data-plane-service': { type: 'string' },
  'pod-name': { type: 'string' },
  namespace: { type: 'string' },
  'leader-elect': { type: 'string', default: 'true' },
  'grpc-host': { type: 'string', default: '127.0.0.1' },
  'grpc-port': { type: 'string', default: '18000' },
  'admin-host': { type: 'string', default: '127.0.0.1' },
  'admin-port': { type: 'string', default: '9902' },
  'token-file': { type: 'string' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  'tls-ca-out': { type: 'string' },
  'tls-secret': { type: 'string' },
  'tls-ca-config-map': { type: 'string' },
  'tls-names': { type: 'string' },
  'http-port': { type: 'string' },
  'log-level': { type: 'string', default: 'info' },
} as const;

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** @throws OptionsError */
export function optionsOf(args: string[], environment: NodeJS.ProcessEnv): Options {
  const values = parsed(args);
  const [certificate, key] = [values['tls-cert'], values['tls-key']];
  if ((certificate === undefined) !== (key === undefined)) {
    throw new OptionsError('Give --tls-cert and --tls-key together, or neither');
  }
  const caOut = values['tls-ca-out'];
  if (certificate !== undefined && caOut !== undefined) {
    throw new OptionsError('--tls-ca-out has no use with --tls-cert: no authority is made');
  }
  if (!logLevels.includes(values['log-level'])) {
    throw new OptionsError(`--log-level must be one of ${logLevels.join(', ')}`);
  }
  const httpPort = values['http-port'];
  return {
    ...sourceOf(values, environment),
    grpcHost: values['grpc-host'],
    grpcPort: portOf('--grpc-port', values['grpc-port'], 0),
    adminHost: values['admin-host'],
    adminPort: portOf('--admin-port', values['admin-port'], 0),
    tls: certificate === undefined || key === undefined ? undefined : { certificate, key },
    caOut,
    httpPort: httpPort === undefined ? undefined : portOf('--http-port', httpPort, 1),
    logLevel: values['log-level'],
  };
}

type Values = ReturnType<typeof parsed>;

/** Where resources come from, and who may connect there. */
function sourceOf(values: Values, environment: NodeJS.ProcessEnv): FolderOptions | ClusterOptions {
  const configFolder = values['config-folder'];
  if (configFolder !== undefined && values.kubernetes) {
    throw new OptionsError('Give --config-folder FOLDER or --kubernetes, not both');
  }
  if (values.kubernetes) return { cluster: clusterOf(values, environment) };
  if (values['tls-secret'] !== undefined) {
    throw new OptionsError('--tls-secret has a use with --kubernetes only');
  }
  if (configFolder === undefined) {
    throw new OptionsError('Give --config-folder FOLDER or --kubernetes');
  }
  return { configFolder, token: tokenOf(values['token-file'], environment) };
}

function clusterOf(values: Values, environment: NodeJS.ProcessEnv): ClusterOptions['cluster'] {
  const podName = values['pod-name'] ?? environment.POD_NAME;
  const namespace = values.namespace ?? environment.POD_NAMESPACE;
  if (!podName) throw new OptionsError('Give --pod-name NAME or POD_NAME');
  if (!namespace) throw new OptionsError('Give --namespace NAMESPACE or POD_NAMESPACE');
  const dataPlanes = values['data-plane-service-account'] ?? [];
  if (dataPlanes.length === 0) {
    throw new OptionsError('Give --data-plane-service-account NAMESPACE/NAME');
  }
  const wrong = dataPlanes.find((account) => !/^[a-z0-9-]+\/[a-z0-9.-]+$/.test(account));
  if (wrong !== undefined) {
    throw new OptionsError(`--data-plane-service-account must be NAMESPACE/NAME, not "${wrong}"`);
  }
  const dataPlaneService = values['data-plane-service'];
  if (dataPlaneService !== undefined && !/^[a-z0-9-]+\/[a-z0-9.-]+$/.test(dataPlaneService)) {
    throw new OptionsError(
      `--data-plane-service must be NAMESPACE/NAME, not "${dataPlaneService}"`,
    );
  }
  const elect = values['leader-elect'];
  if (elect !== 'true' && elect !== 'false') {
    throw new OptionsError(`--leader-elect must be true or false, not "${elect}"`);
  }
  return {
    kubeconfig: values.kubeconfig,
    namespaces: listOf(values['watch-namespaces']),
    dataPlanes,
    dataPlaneService,
    podName,
    podUid: environment.POD_UID,
    namespace,
    elect: elect === 'true',
    certificate: keptCertificateOf(values),
  };
}

function keptCertificateOf(values: Values): KeptCertificateOptions | undefined {
  const { 'tls-secret': secret, 'tls-ca-config-map': caConfigMap } = values;
  const hosts = listOf(values['tls-names']);
  if (!secret && !caConfigMap && hosts.length === 0) return undefined;
  if (!secret || !caConfigMap || hosts.length === 0) {
    throw new OptionsError('Give --tls-secret, --tls-ca-config-map and --tls-names together');
  }
  if (values['tls-cert'] !== undefined || values['tls-ca-out'] !== undefined) {
    throw new OptionsError('Give --tls-secret NAME, or --tls-cert or --tls-ca-out, not both');
  }
  return { secret, caConfigMap, hosts };
}

function listOf(text = ''): string[] {
  return [...new Set(text.split(',').map((one) => one.trim()))].filter((one) => one !== '');
}

function parsed(args: string[]) {
  try {
    return parseArgs({ args, options: flags, allowPositionals: false }).values;
  } catch (error) {
    throw new OptionsError(error instanceof Error ? error.message : String(error));
  }
}

function portOf(flag: string, text: string, least: number): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < least || port > 65535) {
    throw new OptionsError(`${flag} must be a port from ${least} to 65535, not "${text}"`);
  }
  return port;
}

function tokenOf(file: string | undefined, environment: NodeJS.ProcessEnv): string {
  const token = file === undefined ? environment.GATEHOUSE_TOKEN : contentOf('--token-file', file);
  if (token === undefined) throw new OptionsError('Give --token-file FILE or GATEHOUSE_TOKEN');
  const trimmed = token.trim();
  // The characters of a bearer token, RFC 6750 section 2.1.
  if (!/^[\w\-.~+/]{16,}=*$/.test(trimmed)) {
    throw new OptionsError('The token must have at least 16 characters out of A-Z a-z 0-9 -._~+/');
  }
  return trimmed;
}

function contentOf(flag: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OptionsError(`Cannot read the file of ${flag}: ${reason}`);
  }
}
