import { createServer, type IncomingMessage, request } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Upstream_Protocol } from '@gatehouse/snapshot';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../testing/gateway.ts';
import { type Http2Backend, startHttp2Backend } from '../testing/http2-backend.ts';
import { forwardRule } from '../testing/snapshot.ts';

/** Pieces of a body, and whether its length is told beforehand. */
type Body = { sizes: number[]; declared: boolean };
type Answer = { status: number; body: Buffer; trailers: Record<string, unknown> };

let gateway: TestGateway;
let http2: Http2Backend;
const http1 = createServer((asked, answer) => {
  const pieces: Buffer[] = [];
  asked.on('data', (piece: Buffer) => pieces.push(piece));
  asked.on('end', () => {
    const { sizes, declared } = planOf(asked.headers['x-plan']);
    answer.setHeader('x-got', digest(Buffer.concat(pieces)));
    answer.setHeader('x-trailer', asked.trailers['x-sum'] ?? '');
    if (declared) answer.setHeader('content-length', total(sizes));
    else answer.setHeader('transfer-encoding', 'chunked');
    for (const piece of piecesOf(sizes)) answer.write(piece);
    if (!declared) answer.addTrailers({ 'x-sum': String(total(sizes)) });
    answer.end();
  });
});

beforeAll(async () => {
  await new Promise<void>((resolve) => http1.listen(0, '127.0.0.1', resolve));
  http2 = await startHttp2Backend((asked) => {
    const { stream, headers, body } = asked;
    void body.then((got) => {
      const { sizes, declared } = planOf(headers['x-plan']);
      stream.respond(
        {
          ':status': 200,
          'x-got': digest(got),
          'x-trailer': String(asked.trailers?.['x-sum'] ?? ''),
          ...(declared ? { 'content-length': total(sizes) } : {}),
        },
        { waitForTrailers: !declared },
      );
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': String(total(sizes)) }));
      for (const piece of piecesOf(sizes)) stream.write(piece);
      stream.end();
    });
  });
  const { port } = http1.address() as AddressInfo;
  gateway = await startGateway({
    rules: [forwardRule('one', { prefix: '/one' }), forwardRule('two', { prefix: '/two' })],
    upstreams: {
      one: { endpoints: [{ port }] },
      two: { endpoints: [{ port: http2.port }], more: { protocol: Upstream_Protocol.HTTP2 } },
    },
  });
});

afterAll(async () => {
  await gateway.close();
  await http2.close();
  http1.close();
});

const total = (sizes: readonly number[]) => sizes.reduce((sum, size) => sum + size, 0);
const planOf = (field: unknown): Body => JSON.parse(String(field));

function piecesOf(sizes: readonly number[]): Buffer[] {
  let at = 0;
  return sizes.map((size) => Buffer.from(Array.from({ length: size }, () => at++ % 251)));
}

function digest(body: Buffer): string {
  const intact = body.every((byte, i) => byte === i % 251);
  return `${body.length} ${intact ? 'intact' : 'broken'}`;
}

const body = fc.record({
  sizes: fc.array(fc.oneof(fc.nat(3), fc.nat(20_000), fc.constantFrom(8192, 16_384, 65_535)), {
    maxLength: 6,
  }),
  declared: fc.boolean(),
});

describe.each([
  ['HTTP/1.1', askHttp1],
  ['HTTP/2', askHttp2],
])('a client with %s', (_, ask) => {
  it.each([
    ['HTTP/1.1', '/one'],
    ['HTTP/2', '/two'],
  ])('and an upstream with %s: bodies and trailers arrive as they were sent', async (__, path) => {
    await fc.assert(
      fc.asyncProperty(body, body, async (sent, plan) => {
        const { status, body: got, trailers, headers } = await ask(path, sent, plan);
        expect(status).toBe(200);
        expect(headers['x-got']).toBe(`${total(sent.sizes)} intact`);
        expect(headers['x-trailer']).toBe(sent.declared ? '' : String(total(sent.sizes)));
        expect(digest(got)).toBe(`${total(plan.sizes)} intact`);
        expect(trailers['x-sum']).toBe(plan.declared ? undefined : String(total(plan.sizes)));
      }),
      { numRuns: 25 },
    );
  });
});

type Asked = Promise<Answer & { headers: Record<string, unknown> }>;

async function askHttp1(path: string, { sizes, declared }: Body, plan: Body): Asked {
  const asked = request({
    port: gateway.port,
    path,
    method: 'POST',
    agent: false,
    headers: {
      'x-plan': JSON.stringify(plan),
      ...(declared ? { 'content-length': total(sizes) } : { 'transfer-encoding': 'chunked' }),
    },
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    asked.on('response', resolve);
    asked.on('error', reject);
  });
  for (const piece of piecesOf(sizes)) asked.write(piece);
  if (!declared) asked.addTrailers({ 'x-sum': String(total(sizes)) });
  asked.end();
  const answer = await answered;
  const pieces: Buffer[] = [];
  for await (const piece of answer) pieces.push(piece as Buffer);
  const { statusCode: status = 0, trailers, headers } = answer;
  return { status, body: Buffer.concat(pieces), trailers, headers };
}

async function askHttp2(path: string, { sizes, declared }: Body, plan: Body): Asked {
  const session = connectHttp2(`http://127.0.0.1:${gateway.port}`);
  const stream = session.request(
    {
      ':method': 'POST',
      ':path': path,
      'x-plan': JSON.stringify(plan),
      ...(declared ? { 'content-length': total(sizes) } : {}),
    },
    { waitForTrailers: !declared },
  );
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': String(total(sizes)) }));
  let headers: Record<string, unknown> = {};
  let trailers: Record<string, unknown> = {};
  stream.on('response', (fields) => {
    headers = fields;
  });
  stream.on('trailers', (fields) => {
    trailers = fields;
  });
  for (const piece of piecesOf(sizes)) stream.write(piece);
  stream.end();
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece as Buffer);
  session.close();
  return { status: Number(headers[':status']), body: Buffer.concat(pieces), trailers, headers };
}
