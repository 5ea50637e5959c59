import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import {
  type FromDataPlane,
  FromDataPlaneSchema,
  Snapshots,
  type Update,
} from '@gatehouse/snapshot';

type Message = NonNullable<MessageInitShape<typeof FromDataPlaneSchema>['message']>;

/** The client side of one stream and nothing more, for tests: what is not told is not done. */
export function bareDataPlane({ port, ca }: { port: number; ca: string }, token?: string) {
  const url = `https://127.0.0.1:${port}`;
  const session = new Http2SessionManager(url, {}, { ca });
  const transport = createGrpcTransport({ baseUrl: url, sessionManager: session });
  const queue: FromDataPlane[] = [];
  let wake = () => {};
  let open = true;
  async function* outgoing() {
    while (open) {
      const message = queue.shift();
      if (message) yield message;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  }
  const headers = new Headers(token === undefined ? {} : { authorization: `Bearer ${token}` });
  const received: Update[] = [];
  let reason: ConnectError | undefined;
  let ended = false;
  let arrived = () => {};
  const read = async () => {
    for await (const update of createClient(Snapshots, transport).subscribe(outgoing(), {
      headers,
    })) {
      received.push(update);
      arrived();
    }
  };
  const reading = read()
    .catch((error) => {
      reason = ConnectError.from(error);
    })
    .finally(() => {
      ended = true;
      arrived();
    });
  return {
    send(message: Message) {
      queue.push(create(FromDataPlaneSchema, { message }));
      wake();
    },
    async next(): Promise<Update> {
      for (;;) {
        const update = received.shift();
        if (update) return update;
        if (ended) throw reason ?? new Error('the stream has ended');
        await new Promise<void>((resolve) => (arrived = resolve));
      }
    },
    /** Why the stream ended. */
    async end(): Promise<ConnectError | undefined> {
      await reading;
      return reason;
    },
    close() {
      open = false;
      wake();
      session.abort();
    },
  };
}
