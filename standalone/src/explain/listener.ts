import type { LinkedListener, LinkedPort } from '@gatehouse/dataplane/explain';
import type { Asked } from './asked.ts';
import type { ExplainedListener } from './explanation.ts';

export type ChosenPort = {
  port: LinkedPort;
  /** Set when it is not the port of the URL. */
  note: string | undefined;
};

/**
 * The port that a URL leads to. One that nobody listens on stands for the only port of its protocol: a
 * Service, a load balancer or --http-port may lie between.
 * @throws Error when there is none, or more than one.
 */
export function portFor(
  ports: ReadonlyMap<number, LinkedPort>,
  { url, scheme, port, portGiven }: Asked,
): ChosenPort {
  const secure = scheme === 'https';
  const cannot = (reason: string) => new Error(`Cannot find a listener for "${url}": ${reason}`);
  const exact = ports.get(port);
  if (exact?.secure === secure) return { port: exact, note: undefined };
  const all = [...ports.values()];
  const list = all.map((one) => `${one.port} (${protocolOf(one)})`).join(', ');
  if (exact && portGiven) throw cannot(`port ${port} speaks ${protocolOf(exact)}`);
  const [only, another] = all.filter((one) => one.secure === secure);
  if (!only) {
    throw cannot(list === '' ? 'there are no listeners' : `none speaks ${scheme}; ports: ${list}`);
  }
  if (another) throw cannot(`no listener on port ${port}; ports: ${list}`);
  const note = `nothing listens on port ${port}: this is about port ${only.port}, the only one that speaks ${protocolOf(only)}`;
  return { port: only, note };
}

function protocolOf({ secure }: LinkedPort): 'HTTP' | 'HTTPS' {
  return secure ? 'HTTPS' : 'HTTP';
}

export function explainedListener(
  port: LinkedPort,
  { name, hostname }: LinkedListener,
): ExplainedListener {
  const slash = name.lastIndexOf('/');
  return {
    name: name.slice(slash + 1),
    gateway: name.slice(0, slash),
    port: port.port,
    protocol: protocolOf(port),
    hostname,
  };
}
