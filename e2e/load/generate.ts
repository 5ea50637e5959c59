import { type Connection, type Outcome, openConnection } from './connection.ts';
import { type Failure, type Report, reportOf } from './report.ts';

export type Load = {
  host: string;
  port: number;
  /** Value of the Host field. */
  authority: string;
  path: string;
  /** Requests a second. */
  rate: number;
  /** Connections that are opened at first; more of them when all are busy. */
  connections: number;
  /** Milliseconds that an answer may take. */
  timeout: number;
};

/** More connections than this are never open; a request that finds none free has failed. */
const mostConnections = 10_000;
const tick = 5;

/**
 * Sends requests at a steady rate, whatever becomes of the earlier ones, until `stop` is called; then
 * waits for the answers that are missing. Each request is counted once: answered with 200, or failed.
 */
export function generate(load: Load): { stop(): Promise<Report> } {
  const request = `GET ${load.path} HTTP/1.1\r\nhost: ${load.authority}\r\n\r\n`;
  const open = () => openConnection(load.host, load.port, load.timeout);
  let idle: Connection[] = Array.from({ length: load.connections }, open);
  const latencies: number[] = [];
  const failures: Failure[] = [];
  const bodies = new Map<string, number>();
  const began = performance.now();
  const beganAt = Date.now();
  let sent = 0;
  let running = 0;
  let busy = 0;
  let idleAgain: (() => void) | undefined;

  function send(due: number): void {
    sent += 1;
    const connection = free();
    if (connection === undefined) {
      fail(due, `${mostConnections} connections are busy`, 0);
      return;
    }
    running += 1;
    busy += 1;
    connection.send(request, (outcome) => {
      running -= 1;
      busy -= 1;
      if (connection.usable()) idle.push(connection);
      judge(outcome, due);
      if (running === 0) idleAgain?.();
    });
  }

  /** The one that has been idle longest, so that all stay in use. */
  function free(): Connection | undefined {
    for (;;) {
      const connection = idle.shift();
      if (connection === undefined) return busy < mostConnections ? open() : undefined;
      if (connection.usable()) return connection;
    }
  }

  function judge(outcome: Outcome, due: number): void {
    if (!('response' in outcome)) {
      fail(due, outcome.reason, outcome.use);
    } else if (outcome.response.status !== 200) {
      const { status, body } = outcome.response;
      fail(due, `status ${status}: ${body.slice(0, 200)}`, 0);
    } else {
      const { body } = outcome.response;
      latencies.push(performance.now() - due);
      bodies.set(body, (bodies.get(body) ?? 0) + 1);
    }
  }

  function fail(due: number, reason: string, use: number): void {
    failures.push({ at: new Date(beganAt + due - began).toISOString(), reason, use });
  }

  const timer = setInterval(() => {
    // From the time that has passed, so that a late tick sends what is due and loses nothing.
    const target = Math.floor(((performance.now() - began) / 1000) * load.rate);
    while (sent < target) send(began + ((sent + 1) * 1000) / load.rate);
  }, tick);

  return {
    async stop() {
      clearInterval(timer);
      const seconds = (performance.now() - began) / 1000;
      if (running > 0) {
        await new Promise<void>((resolve) => {
          idleAgain = resolve;
        });
      }
      for (const connection of idle) connection.close();
      idle = [];
      return reportOf({ sent, seconds, latencies, failures, bodies });
    },
  };
}
