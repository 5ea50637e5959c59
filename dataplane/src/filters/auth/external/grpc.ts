import { timestampNow } from '@bufbuild/protobuf/wkt';
import type { Client } from '@connectrpc/connect';
import {
  Authorization,
  type CheckResponse,
  type HeaderValueOption,
} from './generated/ext_authz_pb.js';
import {
  type Ask,
  denied,
  mayBeSent,
  mostBodyBytes,
  type RequestView,
  safeLine,
  type Verdict,
} from './verdict.ts';

/** Milliseconds after which a connection that nobody uses is closed. */
const idleTimeout = 60_000;

/** Asks a service written for Envoy (envoy.service.auth.v3), over h2c or TLS. */
export function askByGrpc(url: string): Ask {
  let client: Promise<Client<typeof Authorization>> | undefined;
  return async (view, timeout) => {
    client ??= clientOf(url);
    const request = { attributes: attributesOf(view) };
    const { check } = await client;
    try {
      return verdictOf(await check(request, { timeoutMs: timeout }));
    } catch (error) {
      const { Code, ConnectError } = await import('@connectrpc/connect');
      if (!(error instanceof ConnectError)) throw error;
      // Its message may hold anything that the service chose to say.
      throw new Error(`the call failed: ${Code[error.code]}`);
    }
  };
}

/** The packages are loaded by the first question: most gateways ask nobody. */
async function clientOf(url: string): Promise<Client<typeof Authorization>> {
  const { createClient } = await import('@connectrpc/connect');
  const { createGrpcTransport, Http2SessionManager } = await import('@connectrpc/connect-node');
  const transport = createGrpcTransport({
    baseUrl: url,
    sessionManager: new Http2SessionManager(url, { idleConnectionTimeoutMs: idleTimeout }),
    readMaxBytes: 16 * mostBodyBytes,
    acceptCompression: [],
  });
  return createClient(Authorization, transport);
}

function attributesOf(view: RequestView) {
  const { id, method, target, authority, scheme, protocol, bodySize } = view;
  const pseudo = { ':method': method, ':path': target, ':authority': authority, ':scheme': scheme };
  return {
    source: { address: { socketAddress: { address: view.clientAddress } } },
    request: {
      time: timestampNow(),
      http: {
        id,
        method,
        path: target,
        host: authority,
        scheme,
        protocol,
        size: BigInt(bodySize),
        headers: { ...view.headers, ...pseudo },
      },
    },
  };
}

function verdictOf({ status, httpResponse: { case: kind, value } }: CheckResponse): Verdict {
  if (status?.code === 0 || (!status && kind === 'okResponse')) {
    if (kind !== 'okResponse') return allowed(new Map(), [], '');
    const removed = value.headersToRemove.map((name) => name.toLowerCase());
    return allowed(fieldsOf(value.headers), removed, linesOf(value.responseHeadersToAdd));
  }
  if (!status) throw new Error('the answer has no status');
  if (kind !== 'deniedResponse') return denied(403, Buffer.from('{"error":"Forbidden"}'), json);
  const body = Buffer.from(value.body).subarray(0, mostBodyBytes);
  return denied(value.status?.code || 403, body, linesOf(value.headers));
}

const json = 'content-type: application/json\r\n';

function allowed(
  fields: ReadonlyMap<string, readonly string[]>,
  removed: readonly string[],
  responseFields: string,
): Verdict {
  return { kind: 'allowed', fields, removed, responseFields };
}

/** The last of a name counts, unless it asks to be appended. */
function fieldsOf(options: readonly HeaderValueOption[]): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  for (const option of options) {
    const [name, value] = pairOf(option);
    if (!mayBeSent(name)) continue;
    const before = option.append === true ? (fields.get(name) ?? []) : [];
    fields.set(name, [...before, value]);
  }
  return fields;
}

function linesOf(options: readonly HeaderValueOption[]): string {
  return options
    .map(pairOf)
    .filter(([name]) => mayBeSent(name))
    .map(([name, value]) => safeLine(name, value))
    .join('');
}

function pairOf({ header }: HeaderValueOption): [name: string, value: string] {
  const { key = '', value = '', rawValue } = header ?? {};
  const text = value === '' && rawValue ? Buffer.from(rawValue).toString('utf8') : value;
  return [key.toLowerCase(), text];
}
