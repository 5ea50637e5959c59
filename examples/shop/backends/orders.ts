import type { Table } from './table.ts';

const line = (productId: number, quantity: number) => ({ productId, quantity });

/** Knows nothing of "/api/orders": the gateway strips that prefix. */
export const orders: Table = {
  path: '/',
  required: ['userId', 'lines'],
  groups: { 'by-user': 'userId' },
  rows: [
    { id: 1001, userId: 1, status: 'delivered', lines: [line(504, 1), line(508, 2)], total: 10200 },
    { id: 1002, userId: 1, status: 'shipped', lines: [line(501, 1)], total: 12900 },
    { id: 1003, userId: 2, status: 'delivered', lines: [line(505, 1)], total: 6900 },
    { id: 1004, userId: 3, status: 'packed', lines: [line(503, 2), line(502, 1)], total: 75700 },
    { id: 1005, userId: 5, status: 'placed', lines: [line(506, 3)], total: 16200 },
    { id: 1006, userId: 3, status: 'cancelled', lines: [line(507, 1)], total: 49900 },
  ],
};
