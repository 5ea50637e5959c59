import type { Check } from '../check.ts';

export const checks: Check[] = [
  {
    shows: 'a backend of another namespace that a ReferenceGrant allows',
    request: 'GET /granted/a',
    expect: { status: 200, body: { path: '/granted/a' } },
  },
  {
    shows: 'no way to a backend that none allows',
    request: 'GET /refused',
    expect: { status: 500, body: { error: 'Backend not resolved' } },
  },
  {
    shows: 'nothing of a namespace without the label',
    request: 'GET /hidden',
    expect: { status: 404 },
  },
];
