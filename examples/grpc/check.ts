import type { Check } from '../check.ts';

const proto = 'examples/grpc/greeter.proto';

export const checks: Check[] = [
  {
    shows: 'a call with one answer',
    request: 'POST /greeter.Greeter/Hello',
    grpc: { proto, message: { name: 'Ada' } },
    expect: {
      status: 0,
      body: [{ text: 'Hello Ada' }],
      servedBy: { 'greeter-1': 2, 'greeter-2': 2 },
    },
  },
  {
    shows: 'a call with a stream of answers',
    request: 'POST /greeter.Greeter/Repeat',
    grpc: { proto, message: { name: 'Ada', times: 3 } },
    expect: {
      status: 0,
      body: [{ text: '1. Hello Ada' }, { text: '2. Hello Ada' }, { text: '3. Hello Ada' }],
    },
  },
  {
    shows: 'one endpoint answers UNAVAILABLE, the other one is asked',
    request: 'POST /greeter.Greeter/Hello',
    headers: { 'x-fail': 'greeter-1' },
    grpc: { proto, message: { name: 'Ada' } },
    expect: { status: 0, servedBy: { 'greeter-2': 4 } },
  },
  {
    shows: 'the limit of a rule is the deadline of a call',
    request: 'POST /greeter.Greeter/Wait',
    grpc: { proto, message: { name: 'Ada' } },
    expect: { status: 4 },
  },
  {
    shows: 'a service that no rule names is UNIMPLEMENTED',
    request: 'POST /grpc.health.v1.Health/Check',
    grpc: { proto: 'examples/grpc/health.proto', message: {} },
    expect: { status: 12, body: 'Route not found' },
  },
];
