import { join } from 'node:path';

/** Address of the node, of its API server too: on the loopback interface, in nobody's network. */
export const nodeAddress = '10.97.0.1';
export const nodeName = 'node1';
/** Bridge that the pods are connected to. */
export const bridge = 'gatehouse0';

/** Socket of containerd; its shims name it in their arguments. */
export function containerdSocket(path: string): string {
  return join(path, 'containerd.sock');
}

/** File that says that a run has a node. */
export function nodeMark(path: string): string {
  return join(path, 'node');
}

/** Addresses of the pods of the node. */
export const podSubnet = '10.244.0.0/24';
