import type { Check } from '../check.ts';

export const checks: Check[] = [
  {
    shows: 'events arrive as they are sent, of an answer without end',
    request: 'GET /ticks',
    events: 3,
    expect: {
      status: 200,
      headers: { 'content-type': 'text/event-stream' },
      body: [{ tick: 1 }, { tick: 2 }, { tick: 3 }],
    },
  },
  {
    shows: 'a client that comes back goes on where it was',
    request: 'GET /ticks',
    headers: { 'last-event-id': '41' },
    events: 2,
    expect: { status: 200, body: [{ tick: 42 }, { tick: 43 }] },
  },
  {
    shows: 'the backend is told that a client has gone',
    request: 'GET /listeners',
    expect: { status: 200, body: { listeners: 0 } },
    eventually: true,
  },
];
