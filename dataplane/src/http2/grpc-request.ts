import type { RequestHead } from '../http1/request-head.ts';

/** Whether a request is a call of gRPC (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md). */
export function isGrpc(head: RequestHead): boolean {
  if (head.method !== 'POST') return false;
  const type = head.header('content-type');
  return type?.startsWith(grpcType) === true && /^(?:[+;]|$)/.test(type.slice(grpcType.length));
}

export const grpcType = 'application/grpc';

const milliseconds: Record<string, number> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** What a grpc-timeout says, in milliseconds, more than 0; undefined: nothing that makes sense. */
export function grpcTimeout(value: string | undefined): number | undefined {
  const parts = value === undefined ? undefined : /^(\d{1,8})([HMSmun])$/.exec(value);
  const read = Number(parts?.[1]) * (milliseconds[parts?.[2] ?? ''] ?? 0);
  return read > 0 ? read : undefined;
}

/** A grpc-timeout of so many milliseconds, at least 1. */
export function grpcTimeoutText(left: number): string {
  const whole = Math.max(1, Math.floor(left));
  return whole < 1e8 ? `${whole}m` : `${Math.min(Math.floor(whole / 1000), 99_999_999)}S`;
}
