import type { Check } from '../check.ts';

export const checks: Check[] = [
  {
    shows: 'a WebSocket is opened, and what is sent comes back',
    request: 'GET /chat',
    webSocket: 'good morning',
    expect: { status: 101, headers: { upgrade: 'websocket' }, body: 'good morning' },
  },
  {
    shows: 'the same path takes ordinary requests',
    request: 'GET /chat',
    expect: { status: 200, body: { path: '/chat' } },
  },
  {
    shows: 'without "upgrades" the backend gets an ordinary request',
    request: 'GET /plain',
    webSocket: 'good morning',
    expect: { status: 200, body: { path: '/plain', headers: {} } },
  },
];
