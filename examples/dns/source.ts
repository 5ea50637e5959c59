import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import dnsPacket, { type Answer } from 'dns-packet';
import type { StartSource } from '../source.ts';

/** The port that the YAML file names. */
export const nameServerPort = 4053;

/** A name server that knows two names: an address, and services with ports and weights. */
export const startSource: StartSource = async (ports) => {
  const socket = createSocket('udp4');
  socket.bind(ports.get(nameServerPort) ?? 0, '127.0.0.1');
  await once(socket, 'listening');
  const records = zone((port) => ports.get(port) ?? port);
  socket.on('message', (message, { port, address }) => {
    const { id = 0, questions = [] } = dnsPacket.decode(message);
    const [{ name, type } = { name: '', type: '' }] = questions;
    const known = records.filter((record) => record.name === name.toLowerCase());
    const answers = known.filter((record) => record.type === type);
    // NXDOMAIN, RFC 1035 section 4.1.1.
    const code = known.length === 0 ? 3 : 0;
    const flags = dnsPacket.RECURSION_AVAILABLE | code;
    socket.send(
      dnsPacket.encode({ type: 'response', id, flags, questions, answers }),
      port,
      address,
    );
  });
  return {
    ports: new Map([[nameServerPort, socket.address().port]]),
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
};

function zone(portOf: (port: number) => number): Answer[] {
  const ttl = 30;
  const service = (port: number, weight: number, priority: number): Answer => ({
    type: 'SRV',
    name: '_http._tcp.echo.internal',
    ttl,
    data: { target: 'echo.internal', port: portOf(port), priority, weight },
  });
  return [
    { type: 'A', name: 'echo.internal', ttl, data: '127.0.0.1' },
    service(4011, 3, 10),
    service(4012, 1, 10),
    // Of several priorities the first counts.
    service(4013, 1, 20),
  ];
}
