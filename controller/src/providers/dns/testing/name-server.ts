import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import dnsPacket, { type Answer, type Packet, type Question } from 'dns-packet';

/** A name server that answers what a test wants, by UDP and TCP on one free port of 127.0.0.1. */
export type NameServer = {
  /** "127.0.0.1:<port>" */
  address: string;
  /** All that it knows. */
  records: Answer[];
  /** Names, or "<type> <name>", that are answered by an error or not at all, whatever is known of them. */
  troubles: Map<string, 'SERVFAIL' | 'REFUSED' | 'silence'>;
  /** What it was asked, and when (performance.now). */
  asked: { type: string; name: string; at: number }[];
  close(): Promise<void>;
};

const codes = { NXDOMAIN: 3, SERVFAIL: 2, REFUSED: 5 };
/** Aliases are followed so far, as resolvers do. */
const longestChain = 8;
const largestDatagram = 512;

export async function startNameServer(records: Answer[] = []): Promise<NameServer> {
  const { udp, tcp, port } = await openBoth();
  const open = new Set<Socket>();

  const server: NameServer = {
    address: `127.0.0.1:${port}`,
    records,
    troubles: new Map(),
    asked: [],
    async close() {
      for (const socket of open) socket.destroy();
      await Promise.all([
        new Promise<void>((resolve) => udp.close(() => resolve())),
        new Promise<void>((resolve) => tcp.close(() => resolve())),
      ]);
    },
  };

  udp.on('message', (message, { port: to, address }) => {
    const reply = replyTo(dnsPacket.decode(message), server);
    if (reply === undefined) return;
    const whole = dnsPacket.encode(reply);
    const fits = whole.length <= largestDatagram;
    const sent = fits
      ? whole
      : dnsPacket.encode({
          ...reply,
          answers: [],
          flags: flagsOf(reply) | dnsPacket.TRUNCATED_RESPONSE,
        });
    udp.send(sent, to, address);
  });
  tcp.on('connection', (socket) => {
    open.add(socket);
    let held = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]);
      while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
        const end = 2 + held.readUInt16BE(0);
        const reply = replyTo(dnsPacket.decode(held.subarray(2, end)), server);
        held = held.subarray(end);
        if (reply !== undefined) socket.write(dnsPacket.streamEncode(reply));
      }
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => open.delete(socket));
  });
  return server;
}

/** The same port for both: first one that TCP has free, where far more are taken. */
async function openBoth() {
  for (let attempt = 1; ; attempt++) {
    const tcp = createServer().listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const { port } = tcp.address() as AddressInfo;
    const udp = createSocket('udp4').bind(port, '127.0.0.1');
    try {
      await once(udp, 'listening');
      return { udp, tcp, port };
    } catch (error) {
      tcp.close();
      if (attempt === 20) throw error;
    }
  }
}

function replyTo({ id = 0, questions = [] }: Packet, server: NameServer): Packet | undefined {
  const [question] = questions;
  if (question === undefined) return undefined;
  const name = question.name.toLowerCase();
  server.asked.push({ type: question.type, name, at: performance.now() });
  const { troubles } = server;
  const trouble = troubles.get(name) ?? troubles.get(`${question.type} ${name}`);
  if (trouble === 'silence') return undefined;
  const found = answersTo(question, server.records);
  const known = server.records.some((record) => record.name === name);
  const code = trouble ? codes[trouble] : known ? 0 : codes.NXDOMAIN;
  const answers = code === 0 ? found : [];
  return { type: 'response', id, flags: dnsPacket.RECURSION_AVAILABLE | code, questions, answers };
}

/** Aliases on the way and what they lead to. */
function answersTo({ name, type }: Question, records: Answer[]): Answer[] {
  const answers: Answer[] = [];
  let at = name.toLowerCase();
  for (let i = 0; i < longestChain; i++) {
    const own = records.filter((record) => record.name === at);
    const wanted = own.filter((record) => record.type === type);
    if (wanted.length > 0) return [...answers, ...wanted];
    const alias = own.find((record) => record.type === 'CNAME');
    if (alias?.type !== 'CNAME') return answers;
    answers.push(alias);
    at = alias.data.toLowerCase();
  }
  return answers;
}

function flagsOf({ flags = 0 }: Packet): number {
  return flags;
}
