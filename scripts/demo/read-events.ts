import type { IncomingMessage } from 'node:http';
import type { Answer } from './call.ts';

/** Reads so many server-sent events and leaves; their data, which must be JSON, become a list. */
export async function readEvents(response: IncomingMessage, count: number): Promise<Answer> {
  const { statusCode = 0, headers } = response;
  response.setEncoding('utf8');
  let text = '';
  let data: string[] = [];
  for await (const part of response) {
    text += part;
    data = [...text.matchAll(/^data: (.*)\n\n/gm)].map(([, line = '']) => line);
    // Leaving the loop closes the connection.
    if (data.length >= count) break;
  }
  return { status: statusCode, headers, text: `[${data.slice(0, count)}]` };
}
