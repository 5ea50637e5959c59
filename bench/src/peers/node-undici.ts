import { fixturePeer } from './fixture.ts';

/** A node:http server in front of an undici Pool: what a gateway on Node's own parts would cost. */
export const nodeUndici = fixturePeer('node-undici', 'undici');
