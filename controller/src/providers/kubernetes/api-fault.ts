/** Why a request to the API server did not succeed. */
export class ApiFault extends Error {
  /** HTTP status, that of an ERROR event included; 0 when there was no answer. */
  readonly status: number;
  /** Milliseconds that the server asks to wait. */
  readonly retryAfter: number | undefined;

  constructor(message: string, status: number, retryAfter?: number, cause?: unknown) {
    super(message, { cause });
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** Longest wait that a server can impose, in milliseconds. */
const longestWait = 60_000;

/** Retry-After in seconds (RFC 9110 section 10.2.3); the API server sends no dates. */
export function retryAfterOf(header: string | undefined): number | undefined {
  if (header === undefined || !/^\d{1,9}$/.test(header)) return undefined;
  return Math.min(Number(header) * 1000, longestWait);
}

/** The fault that a metav1.Status, or whatever else came with an HTTP status, stands for. */
export function faultOf(status: number, body: unknown, retryAfter?: number): ApiFault {
  const { message, code, details } = fieldsOf(body);
  const seconds = fieldsOf(details).retryAfterSeconds;
  return new ApiFault(
    typeof message === 'string' ? message : `the API server answers ${status}`,
    status === 200 && typeof code === 'number' ? code : status,
    retryAfter ?? (typeof seconds === 'number' ? Math.min(seconds * 1000, longestWait) : undefined),
  );
}

export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Node lists what it tried when every address of a host fails.
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ');
  return error.message;
}

export function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
