import { join } from 'node:path';
import { Client, credentials, Metadata, type StatusObject } from '@grpc/grpc-js';
import { loadSync, type MethodDefinition } from '@grpc/proto-loader';
import type { Check } from '../../examples/check.ts';
import type { Answer } from './call.ts';

const root = join(import.meta.dirname, '..', '..');

/** Calls gRPC. Use it for the calls that shall share a connection. */
export function createGrpcClient(port: number): Client {
  return new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    // Otherwise clients of one address share a connection, and repeat calls by themselves.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_retries': 0,
  });
}

/** One call; its answers as a JSON list, or its message when it failed. */
export function callGrpc(
  client: Client,
  path: string,
  { proto, message }: NonNullable<Check['grpc']>,
  headers: Record<string, string>,
): Promise<Answer> {
  const method = methodIn(proto, path);
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const call = client.makeServerStreamRequest(
    path,
    method.requestSerialize,
    method.responseDeserialize,
    message,
    metadata,
    { deadline: Date.now() + 10_000 },
  );
  const answers: object[] = [];
  let first = new Metadata();
  return new Promise((resolve) => {
    call.on('metadata', (found: Metadata) => {
      first = found;
    });
    call.on('data', (answer: object) => answers.push(answer));
    // The status tells, too.
    call.on('error', () => undefined);
    call.on('status', ({ code, details, metadata: trailers }: StatusObject) => {
      resolve({
        status: code,
        headers: { ...first.getMap(), ...trailers.getMap() } as Record<string, string>,
        text: code === 0 ? JSON.stringify(answers) : details,
      });
    });
  });
}

function methodIn(proto: string, path: string): MethodDefinition<object, object> {
  for (const service of Object.values(loadSync(join(root, proto)))) {
    for (const method of Object.values(service)) {
      if (typeof method === 'object' && method !== null && 'path' in method) {
        if (method.path === path) return method as MethodDefinition<object, object>;
      }
    }
  }
  throw new Error(`Cannot call "${path}": ${proto} has no such method`);
}
