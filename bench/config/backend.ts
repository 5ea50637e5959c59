import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the load is forwarded to: a program of its own that answers everything alike. */
const body = JSON.stringify({ id: 1, name: 'answer', text: 'x'.repeat(100) });
const server = createServer((_, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
});
server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1', () => {
  process.send?.({ type: 'listening', port: (server.address() as AddressInfo).port });
});
process.on('disconnect', () => process.exit());
