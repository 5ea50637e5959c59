import { type Reply, reasonOf } from '../http1/reply.ts';
import { grpcType } from './grpc-request.ts';
import { grpcStatusOf } from './grpc-status.ts';

/** What a reply to a call of gRPC says in the way of gRPC: with a head only ("Trailers-Only"). */
export function grpcReply(reply: Reply): Reply {
  if (reply.status < 400) return reply;
  const status = reply.grpcStatus ?? grpcStatusOf(reply.status);
  const others = reply.fields.replace(/^content-type:[^\r]*\r\n/gim, '');
  const fields = `content-type: ${grpcType}\r\ngrpc-status: ${status}\r\ngrpc-message: ${messageOf(reply)}\r\n`;
  return { status: 200, body: Buffer.alloc(0), fields: fields + others, grpcStatus: status };
}

/** The error of a reply, percent-encoded as a Status-Message is. */
function messageOf({ status, body, fields }: Reply): string {
  const json = fields.includes('application/json');
  const error: unknown = json ? JSON.parse(body.toString()).error : undefined;
  const text = typeof error === 'string' ? error : reasonOf(status);
  let encoded = '';
  for (const byte of Buffer.from(text)) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += plain
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).padStart(2, '0').toUpperCase()}`;
  }
  return encoded;
}
