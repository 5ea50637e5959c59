import { startGateway } from './gateway.ts';
import { forwardRule } from './snapshot.ts';

/** What the test asks of this program, which runs a gateway alone in its process. */
export type Order = Start | 'rest' | 'peak';

/** Port of the backend, and milliseconds of silence in a body. */
type Start = { start: number; idle?: number };

/** Port that was opened, or mebibytes of resident memory. */
export type Answer = { port: number } | { mebibytes: number };

const mebibyte = 1024 * 1024;
let peak = 0;

function look(): number {
  return process.memoryUsage.rss() / mebibyte;
}

function answer(message: Answer) {
  process.send?.(message);
}

process.on('message', async (order: Order) => {
  if (order === 'peak') answer({ mebibytes: peak });
  else if (order === 'rest') {
    globalThis.gc?.();
    peak = look();
    answer({ mebibytes: peak });
  } else {
    const gateway = await startGateway({
      rules: [forwardRule('backend', { timeouts: { idle: order.idle ?? 0 } })],
      upstreams: { backend: { endpoints: [{ port: order.start }] } },
    });
    setInterval(() => {
      peak = Math.max(peak, look());
    }, 5);
    answer({ port: gateway.port });
  }
});
