import type { Table } from './table.ts';

/** `price` is in hundredths of the currency that the request names by `x-currency`. */
export const products: Table = {
  path: '/api/products',
  required: ['name', 'price'],
  rows: [
    { id: 501, name: 'Mechanical keyboard', category: 'hardware', price: 12900, stock: 34 },
    { id: 502, name: 'Trackball', category: 'hardware', price: 5900, stock: 12 },
    { id: 503, name: '27-inch display', category: 'hardware', price: 34900, stock: 7 },
    { id: 504, name: 'Notes by Ada', category: 'books', price: 2400, stock: 120 },
    { id: 505, name: 'Compilers', category: 'books', price: 6900, stock: 18 },
    { id: 506, name: 'Interconnections', category: 'books', price: 5400, stock: 25 },
    { id: 507, name: 'Standing desk', category: 'furniture', price: 49900, stock: 3 },
    { id: 508, name: 'Desk lamp', category: 'furniture', price: 3900, stock: 61 },
  ],
};
