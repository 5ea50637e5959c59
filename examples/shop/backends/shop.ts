import type { Server } from 'node:http';
import { createBackend, dataOf } from './backend.ts';
import { orders } from './orders.ts';
import { products } from './products.ts';
import { recommendations } from './recommendations.ts';
import { users } from './users.ts';

/** The backends by the ports that the YAML files name. */
export function shopBackends(): Map<number, { name: string; server: Server }> {
  const catalogue = dataOf(products);
  const named = (name: string, data = dataOf(users)) => {
    return { name, server: createBackend(name, data) };
  };
  return new Map([
    [4001, named('users-1')],
    [4002, named('orders-1', dataOf(orders))],
    [4003, named('products-1', catalogue)],
    [4004, named('products-2', catalogue)],
    [4005, named('recommendations-1', dataOf(recommendations))],
    [4006, named('recommendations-canary', dataOf(recommendations))],
    [4007, named('orders-next', dataOf(orders))],
  ]);
}
