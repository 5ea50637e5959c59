import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RawBackend, startBackend } from '../testing/backend.ts';
import { connectFrames } from '../testing/frame-client.ts';
import { startGatewayTo, type TestGateway } from '../testing/gateway.ts';
import {
  type Fields,
  fieldBlock,
  fieldsOf,
  flag,
  frame,
  frameTypes,
  requestFrames,
} from '../testing/http2-frames.ts';
import { type Message, valuesOf, withoutOwnLines } from '../testing/message.ts';

let backend: RawBackend;
let gateway: TestGateway;

beforeAll(async () => {
  backend = await startBackend();
  gateway = await startGatewayTo(backend);
});
beforeEach(() => backend.reset());
afterAll(async () => {
  await gateway.close();
  await backend.close();
});

const smuggled = '/x HTTP/1.1\r\nHost: b\r\n\r\nGET /';
const nasty = fc.constantFrom(
  '\r\n',
  '\r',
  '\n',
  '\0',
  ' ',
  '\t',
  ':',
  ',',
  '/',
  '\x7f',
  '\xa0',
  '\r\n\r\n',
  smuggled,
);
const text = fc.oneof(
  fc.stringMatching(/^[ -~]{0,12}$/),
  fc
    .array(fc.oneof(nasty, fc.stringMatching(/^[a-z0-9]{0,3}$/)), { maxLength: 5 })
    .map((parts) => parts.join('')),
);
const often = <T>(usual: T, other: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other });
const pseudo = fc.record({
  ':method': often('POST', fc.oneof(text, fc.constantFrom('HEAD', 'OPTIONS', 'CONNECT'))),
  ':scheme': often('http', text),
  ':authority': often('a', text),
  ':path': often(
    '/',
    text.map((rest) => `/${rest}`),
  ),
});
const field = fc.tuple(
  fc.oneof(
    text,
    fc.constantFrom(
      ...'host|content-length|transfer-encoding|connection|te|trailer|expect|cookie|upgrade|via|x-request-id|x-forwarded-for|content_length|:path|:x|Host'.split(
        '|',
      ),
    ),
  ),
  fc.oneof(text, fc.constantFrom('0', '5', 'chunked', 'trailers', 'close', 'a', '100-continue')),
);
const stranger = fc.record({
  pseudo,
  fields: fc.array(field, { maxLength: 4 }),
  order: fc.boolean(),
  body: fc.option(fc.constantFrom('', 'hello', `GET ${smuggled} HTTP/1.1\r\nHost: a\r\n\r\n`), {
    nil: undefined,
  }),
  trailers: fc.option(fc.array(field, { maxLength: 2 }), { nil: undefined }),
});

/** A request that the gateway wrote itself, and not something smuggled in one. */
function expectOurs(message: Message) {
  expect(message.startLine).toMatch(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+ (?:\/[!-~]*|\*) HTTP\/1\.1$/);
  expect(valuesOf(message.fields, 'x-request-id')).toHaveLength(1);
  expect(valuesOf(message.fields, 'via').at(-1)).toMatch(/(?:^|, )2\.0 gatehouse$/);
  expect(valuesOf(message.fields, 'host')).toHaveLength(1);
  const lengths = valuesOf(message.fields, 'content-length').length;
  expect(lengths + valuesOf(message.fields, 'transfer-encoding').length).toBeLessThanOrEqual(1);
}

describe('lists of fields of strangers', () => {
  it('are one request of HTTP/1.1 that is well formed, or none', async () => {
    let passed = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(stranger, { minLength: 20, maxLength: 20 }), async (strangers) => {
        backend.reset();
        const outcomes = await Promise.all(
          strangers.map(async ({ pseudo: own, fields, order, body, trailers }) => {
            const all: Fields = order
              ? [...Object.entries(own), ...fields]
              : [...fields, ...Object.entries(own)];
            const client = await connectFrames(gateway.port);
            client.send(requestFrames(1, all, body, trailers));
            const outcome = await client.outcome(1);
            client.close();
            return outcome;
          }),
        );
        backend.requests.forEach(expectOurs);
        const served = outcomes.filter((outcome) => outcome === '200').length;
        // What is wrong with trailers may be found when all that the head announced has gone out.
        const late = strangers.filter((one, i) => one.trailers && outcomes[i] !== '200').length;
        expect(backend.requests.length).toBeGreaterThanOrEqual(served);
        expect(backend.requests.length).toBeLessThanOrEqual(served + late);
        // Trailers that are malformed end a request that had begun, and the connection with it.
        for (const peer of backend.connections.filter(({ bytes }) => bytes.length > 0)) {
          await peer.close();
          expect(peer.bytes.toString('latin1').match(/^x-request-id: /gim)).toHaveLength(1);
        }
        passed += served;
      }),
      { numRuns: 40 },
    );
    expect(passed).toBeGreaterThan(40);
  });

  it('in frames cut anywhere are the same request', async () => {
    const block = fieldBlock(fieldsOf({ ':path': '/cut' }, ['a', 'b']));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(block.length), { maxLength: 6 }), async (cuts) => {
        backend.reset();
        const ends = [...cuts.sort((a, b) => a - b), block.length];
        const parts = ends.map((end, index) => block.subarray(ends[index - 1] ?? 0, end));
        const client = await connectFrames(gateway.port);
        client.send(
          ...parts.map((part, index) => {
            const last = index === parts.length - 1 ? flag.endHeaders : 0;
            return index === 0
              ? frame(frameTypes.headers, flag.endStream | last, 1, part)
              : frame(frameTypes.continuation, last, 1, part);
          }),
        );
        expect(await client.outcome(1)).toBe('200');
        client.close();
        expect(backend.requests.map(({ raw }) => withoutOwnLines(raw))).toEqual([
          'GET /cut HTTP/1.1\r\nhost: a\r\na: b\r\n\r\n',
        ]);
      }),
      { numRuns: 30 },
    );
  });
});
