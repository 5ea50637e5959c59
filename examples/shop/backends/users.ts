import type { Table } from './table.ts';

export const users: Table = {
  path: '/api/users',
  required: ['name', 'email'],
  rows: [
    { id: 1, name: 'Ada Lovelace', email: 'ada@example.com', city: 'London', plan: 'premium' },
    { id: 2, name: 'Alan Turing', email: 'alan@example.com', city: 'Manchester', plan: 'basic' },
    { id: 3, name: 'Grace Hopper', email: 'grace@example.com', city: 'New York', plan: 'premium' },
    { id: 4, name: 'Edsger Dijkstra', email: 'edsger@example.com', city: 'Austin', plan: 'basic' },
    { id: 5, name: 'Radia Perlman', email: 'radia@example.com', city: 'Boston', plan: 'premium' },
  ],
};
