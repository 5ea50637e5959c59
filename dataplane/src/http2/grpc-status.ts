import type { Message } from '../http1/message.ts';
import { fieldValue } from '../http1/request-head.ts';

/** https://github.com/grpc/grpc/blob/master/doc/statuscodes.md */
export const GrpcStatus = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;

/** By number, as metrics name them. */
export const grpcStatusNames = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

/** A response that says nothing of it, or nothing that is a status. */
export const noGrpcStatus = -1;

/** The statuses of gRPC as those of HTTP that say the same; an endpoint is judged by them. */
const httpStatuses = [
  200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401,
];

/** Without a status a call has failed: 500. */
export function httpStatusOf(grpcStatus: number): number {
  return httpStatuses[grpcStatus] ?? 500;
}

/**
 * The status that a client of gRPC understands by a status of HTTP
 * (https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md), and what only the gateway says.
 */
export function grpcStatusOf(status: number): number {
  switch (status) {
    case 400:
      return GrpcStatus.internal;
    case 401:
      return GrpcStatus.unauthenticated;
    case 403:
      return GrpcStatus.permissionDenied;
    case 404:
      return GrpcStatus.unimplemented;
    case 408:
      return GrpcStatus.deadlineExceeded;
    case 413:
      return GrpcStatus.resourceExhausted;
    case 429:
    case 502:
    case 503:
    case 504:
      return GrpcStatus.unavailable;
    default:
      return GrpcStatus.unknown;
  }
}

/** Of a response that has been read so far: its trailers, or its head when there is nothing else. */
export function statusIn(message: Message): number {
  if (!message.messageDone) return noGrpcStatus;
  const { trailers } = message;
  for (let i = 0; i + 1 < trailers.length; i += 2) {
    if (trailers[i] === 'grpc-status') return statusOf(trailers[i + 1]);
  }
  return statusOf(fieldValue(message, 'grpc-status'));
}

function statusOf(value: string | undefined): number {
  if (value === undefined || !/^\d{1,2}$/.test(value)) return noGrpcStatus;
  const status = Number(value);
  return status < grpcStatusNames.length ? status : GrpcStatus.unknown;
}
