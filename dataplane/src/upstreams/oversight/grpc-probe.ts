import { type ClientHttp2Session, connect } from 'node:http2';
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import type { GrpcProbe } from '@gatehouse/snapshot';
import { GrpcStatus, grpcStatusNames } from '../../http2/grpc-status.ts';
import { type Security, secureOptions } from '../security.ts';
import type { Probe } from './probes.ts';

/** grpc.health.v1.HealthCheckResponse.ServingStatus */
const servingStatuses = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
/** An answer has a few bytes. */
const longestAnswer = 1024;

/** Asks by gRPC (https://github.com/grpc/grpc/blob/master/doc/health-checking.md), on a connection of its own. */
export function grpcProbe({ service, host }: GrpcProbe, security: Security | undefined): Probe {
  const message = framed(
    new BinaryWriter()
      .uint32((1 << 3) | 2)
      .string(service)
      .finish(),
  );
  return (address, port, timeout) =>
    new Promise((resolve, reject) => {
      const authority = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
      const scheme = security ? 'https' : 'http';
      const session = connect(`${scheme}://${authority}`, {
        settings: { enablePush: false },
        ...(security ? secureOptions(security, 'h2') : {}),
      });
      const end = (failure?: string) => {
        clearTimeout(timer);
        session.destroy();
        if (failure === undefined) resolve();
        else reject(new Error(failure));
      };
      const timer = setTimeout(() => end('no answer in time'), timeout);
      session.on('error', (error) => end(error.message));
      ask(session, host || authority, message, end);
    });
}

function ask(
  session: ClientHttp2Session,
  authority: string,
  message: Buffer,
  end: (failure?: string) => void,
) {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/grpc.health.v1.Health/Check',
    ':authority': authority,
    'content-type': 'application/grpc',
    te: 'trailers',
    'user-agent': 'gatehouse-health-check',
  });
  let answer = Buffer.alloc(0);
  let status = '';
  stream.on('response', (head) => {
    if (head[':status'] !== 200) end(`status ${head[':status']}`);
    status = String(head['grpc-status'] ?? '');
  });
  stream.on('data', (chunk: Buffer) => {
    answer = Buffer.concat([answer, chunk]);
    if (answer.length > longestAnswer) end('the answer is too long');
  });
  stream.on('trailers', (trailers) => {
    status = String(trailers['grpc-status'] ?? '');
  });
  stream.on('error', (error) => end(error.message));
  stream.on('close', () => end(failureIn(status, answer)));
  stream.end(message);
}

/** A message with its prefix: not compressed, then its length. */
function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** What is wrong with an answer; undefined: nothing. */
function failureIn(status: string, answer: Buffer): string | undefined {
  if (status !== String(GrpcStatus.ok)) {
    return `gRPC status ${grpcStatusNames[Number(status || -1)] ?? (status || 'missing')}`;
  }
  const serving = servingStatusIn(answer);
  const name = servingStatuses[serving] ?? String(serving);
  return name === 'SERVING' ? undefined : name;
}

function servingStatusIn(answer: Buffer): number {
  let serving = 0;
  try {
    const reader = new BinaryReader(answer.subarray(5));
    while (reader.pos < reader.len) {
      const [field, type] = reader.tag();
      if (field === 1 && type === 0) serving = reader.int32();
      else reader.skip(type);
    }
  } catch {
    return -1;
  }
  return serving;
}
