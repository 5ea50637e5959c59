import type { Peer } from '../peer.ts';
import { envoy } from './envoy.ts';
import { gatehouse } from './gatehouse.ts';
import { haproxy } from './haproxy.ts';
import { httpProxy } from './http-proxy.ts';
import { nginx } from './nginx.ts';
import { nodeUndici } from './node-undici.ts';

/** Every peer, under the name that scenarios use. */
export const peers = {
  gatehouse,
  nginx,
  haproxy,
  envoy,
  'node-undici': nodeUndici,
  'http-proxy': httpProxy,
} satisfies Record<string, Peer>;

export type PeerName = keyof typeof peers;
