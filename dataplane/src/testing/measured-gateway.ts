import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Answer, Order } from './gateway-process.ts';

/** A gateway alone in a process, whose memory is known. */
export type MeasuredGateway = {
  port: number;
  /** Collects garbage and returns resident mebibytes; `peak` counts from here. */
  rest(): Promise<number>;
  /** The most resident mebibytes that were seen. */
  peak(): Promise<number>;
  close(): void;
};

/** @param idle milliseconds of silence that a body may have; 0: no limit. */
export async function startMeasuredGateway(backend: number, idle = 0): Promise<MeasuredGateway> {
  const child: ChildProcess = fork(new URL('./gateway-process.ts', import.meta.url), {
    execArgv: ['--expose-gc'],
  });

  async function tell(order: Order): Promise<Answer> {
    const answered = once(child, 'message');
    child.send(order);
    const [answer] = await answered;
    return answer as Answer;
  }

  async function memory(order: 'rest' | 'peak'): Promise<number> {
    const answer = await tell(order);
    return 'mebibytes' in answer ? answer.mebibytes : Number.NaN;
  }

  const started = await tell({ start: backend, idle });
  return {
    port: 'port' in started ? started.port : 0,
    rest: () => memory('rest'),
    peak: () => memory('peak'),
    close: () => void child.kill(),
  };
}
