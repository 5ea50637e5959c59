import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** An issuer that publishes key sets, at a path of its own each. */
export type KeyServer = {
  /** URL of a set that is answered so from now on; text is the set itself. */
  at(answer: string | Answer): string;
  /** The same, held back until `release`. */
  holding(text: string): string;
  /** Answers the URL otherwise from now on. */
  change(url: string, answer: string | Answer): void;
  /** Waits until somebody waits for a set that is held back. */
  asked(): Promise<void>;
  release(): void;
  /** Requests that have arrived; for one URL or all. */
  readonly requests: number;
  requestsOf(url: string): number;
  close(): Promise<void>;
};

const json =
  (text: string): Answer =>
  (response) => {
    response.setHeader('content-type', 'application/jwk-set+json').end(text);
  };

export async function startKeyServer(): Promise<KeyServer> {
  const answers = new Map<string, Answer>();
  const counts = new Map<string, number>();
  let held: (() => void)[] = [];
  let waiting: (() => void)[] = [];
  let requests = 0;
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requests++;
    counts.set(path, (counts.get(path) ?? 0) + 1);
    const answer = answers.get(path);
    if (answer) answer(response, request);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const answerOf = (answer: string | Answer) =>
    typeof answer === 'string' ? json(answer) : answer;
  const pathOf = (url: string) => url.slice(origin.length);

  function at(answer: string | Answer): string {
    const path = `/keys/${answers.size}`;
    answers.set(path, answerOf(answer));
    return origin + path;
  }

  return {
    at,
    holding: (text) =>
      at((response, request) => {
        held.push(() => json(text)(response, request));
        for (const wake of waiting.splice(0)) wake();
      }),
    change: (url, answer) => void answers.set(pathOf(url), answerOf(answer)),
    async asked() {
      if (held.length === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    release() {
      for (const answer of held.splice(0)) answer();
    },
    get requests() {
      return requests;
    },
    requestsOf: (url) => counts.get(pathOf(url)) ?? 0,
    async close() {
      server.closeAllConnections();
      held = [];
      waiting = [];
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
