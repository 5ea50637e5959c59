import { type Endpoint, startEndpoint } from './endpoint.ts';
import type { Mode } from './troubles.ts';

/** The endpoints as a process of their own: `{ start: count }`, then `{ endpoint, mode }`. */
type Order = { start: number } | { endpoint: number; mode: Mode };

let endpoints: Endpoint[] = [];

process.on('message', async (order: Order) => {
  if ('start' in order) {
    endpoints = await Promise.all(Array.from({ length: order.start }, () => startEndpoint()));
    process.send?.({ type: 'ports', ports: endpoints.map(({ port }) => port) });
  } else await endpoints[order.endpoint]?.be(order.mode);
});
process.once('disconnect', () => process.exit());
