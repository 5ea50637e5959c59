import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RawBackend, startBackend } from '../testing/backend.ts';
import { createCertificate } from '../testing/certificate.ts';
import { startGatewayTo, type TestGateway } from '../testing/gateway.ts';
import { runH2spec } from '../testing/h2spec.ts';
import { missingH2spec } from '../testing/h2spec-program.ts';

/** Why they are missed: docs/guide/http2.md. */
const always = [
  'http2/5.1.1: Sends stream identifier that is numerically smaller than previous',
  'http2/5.1: closed: Sends a DATA frame',
  'http2/5.1: closed: Sends a DATA frame after sending RST_STREAM frame',
  'http2/5.1: closed: Sends a HEADERS frame',
  'http2/5.1: closed: Sends a HEADERS frame after sending RST_STREAM frame',
  'http2/5.3.1: Sends PRIORITY frame that depend on itself',
  'http2/6.3: Sends a PRIORITY frame with 0x0 stream identifier',
  'http2/6.7: Sends a PING frame with ACK',
  'http2/6.9.1: Sends multiple WINDOW_UPDATE frames increasing the flow control window to above 2^31-1 on a stream',
];
/** Those that pass when the frame comes before the answer has gone. */
const racing = [
  'http2/6.1: Sends a DATA frame on the stream that is not in "open" or "half-closed (local)" state',
];
const cases = 146;
const skipped = 1;

describe.skipIf(missingH2spec() !== undefined)('h2spec --strict', () => {
  let backend: RawBackend;
  let cleartext: TestGateway;
  let secure: TestGateway;
  beforeAll(async () => {
    backend = await startBackend();
    cleartext = await startGatewayTo(backend);
    secure = await startGatewayTo(backend, {
      listeners: [{ certificates: ['a'] }],
      secrets: { a: createCertificate('a.example') },
    });
  });
  afterAll(async () => {
    await cleartext.close();
    await secure.close();
    await backend.close();
  });

  it.concurrent('by prior knowledge', async () => {
    const { passed, missed } = await runH2spec(cleartext.port, { tls: false });
    const expected = [...always, 'http2/3.5: Sends invalid connection preface'];
    expect(missed.filter((name) => !racing.includes(name)).sort()).toEqual(expected.sort());
    expect(passed + missed.length).toBe(cases - skipped);
  }, 120_000);

  it.concurrent('over TLS', async () => {
    const { passed, missed } = await runH2spec(secure.port, { tls: true });
    expect(missed.filter((name) => !racing.includes(name)).sort()).toEqual([...always].sort());
    expect(passed + missed.length).toBe(cases - skipped);
  }, 120_000);
});
