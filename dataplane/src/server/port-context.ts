import type { Limits } from '../http1/limits.ts';
import type { LinkedListener, LinkedPort } from '../link/runtime.ts';
import type { TimerWheel } from '../state/timer-wheel.ts';
import type { Recorder } from '../telemetry/recorder.ts';

/** What the connections of one port share; one a thread. */
export type PortContext = {
  port: number;
  scheme: 'http' | 'https';
  limits: Limits;
  wheel: TimerWheel;
  recorder: Recorder;
  /** The port in the runtime in force. */
  linked(): LinkedPort | undefined;
  /** The listener of the runtime in force that serves this host. */
  listenerOf(host: string): LinkedListener | undefined;
  /** Is told the bytes that are read: of HTTP/1.1 bodies beyond the first chunk, of HTTP/2 all. See createYoungGarbage. */
  bodyRead(bytes: number): void;
  /** True once responses say that their connection closes (RFC 9112 section 9.6). */
  leaving: boolean;
  /** True once connections are closed after their response, whatever it said. */
  draining: boolean;
};
