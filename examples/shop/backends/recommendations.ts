import type { Table } from './table.ts';

/** The id is that of the user whom the products are recommended to. */
export const recommendations: Table = {
  path: '/api/recommendations',
  required: ['products'],
  rows: [
    { id: 1, products: [505, 507], reason: 'bought Notes by Ada' },
    { id: 2, products: [504, 506], reason: 'bought Compilers' },
    { id: 3, products: [501, 508], reason: 'bought a display' },
    { id: 4, products: [501, 504], reason: 'popular' },
    { id: 5, products: [505, 503], reason: 'bought Interconnections' },
  ],
};
