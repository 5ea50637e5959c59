import { withoutDropped } from '../http1/edits.ts';
import { errorReply } from '../http1/reply.ts';
import { GrpcStatus } from '../http2/grpc-status.ts';
import type { RedirectAction, RespondAction } from '../link/runtime.ts';
import type { Exchange } from './exchange.ts';
import { rewrittenTarget } from './rewritten-target.ts';

/** Answers with an error of the gateway. */
export function replyError(exchange: Exchange, status: number, error: string) {
  exchange.client.reply(exchange, errorReply(status, error));
}

/** Answers that the time for the request, or for a try, is over. */
export function replyTimeout(exchange: Exchange) {
  const reply = errorReply(504, 'Gateway timeout');
  exchange.client.reply(exchange, { ...reply, grpcStatus: GrpcStatus.deadlineExceeded });
}

/** Answers with a Location (RFC 9110 section 15.4). The query is kept. */
export function answerRedirect(exchange: Exchange, action: RedirectAction) {
  const location = redirectLocation(exchange, action);
  exchange.client.reply(
    exchange,
    { status: action.status, body: Buffer.alloc(0), fields: `location: ${location}\r\n` },
    action.responseEdits,
  );
}

function redirectLocation(exchange: Exchange, action: RedirectAction): string {
  const { head, client } = exchange;
  const scheme = action.scheme === '' ? client.scheme : action.scheme;
  const host = action.host === '' ? hostWithoutPort(head.authority) : action.host;
  const target = rewrittenTarget(exchange, action.rewrite);
  // HTTP/1.0 without Host: a relative reference is all that can be said (RFC 9110 section 10.2.2).
  if (host === '') return target;
  return `${scheme}://${host}${portOf(exchange, action, scheme)}${target}`;
}

/**
 * HTTPRequestRedirectFilter: the port given; else that of the scheme given; else that of the request.
 */
function portOf(exchange: Exchange, action: RedirectAction, scheme: string): string {
  const wellKnown = scheme === 'https' ? 443 : 80;
  let { port } = action;
  if (port === 0 && action.scheme !== '') port = wellKnown;
  if (port === 0) port = Number(/:([0-9]+)$/.exec(exchange.head.authority)?.[1] ?? wellKnown);
  return port === wellKnown ? '' : `:${port}`;
}

function hostWithoutPort(authority: string): string {
  return authority.replace(/:[0-9]+$/, '');
}

/** Answers with the body of the Route. */
export function answerRespond(exchange: Exchange, action: RespondAction) {
  let fields = '';
  for (const { name, value } of action.headers) fields += `${name}: ${value}\r\n`;
  exchange.client.reply(
    exchange,
    {
      status: action.status,
      body: action.body,
      fields: withoutDropped(action.responseEdits, fields),
    },
    action.responseEdits,
  );
}
