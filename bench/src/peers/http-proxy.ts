import { fixturePeer } from './fixture.ts';

/** http-proxy, what most gateways written in Node are built on. */
export const httpProxy = fixturePeer('http-proxy', 'http-proxy');
