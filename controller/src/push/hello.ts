import { Code, ConnectError } from '@connectrpc/connect';
import type { FromDataPlane, Hello } from '@gatehouse/snapshot';

/** Longest name of a Kubernetes object. */
const longestName = 253;

/**
 * Reads the opening message. `boundNode` is the node that the token is bound to, if any.
 * @throws ConnectError when it is late, missing or not sound, or names another node.
 */
export async function helloOf(
  messages: AsyncIterator<FromDataPlane>,
  boundNode: string | undefined,
  deadline: number,
): Promise<Hello> {
  const first = await within(messages.next(), deadline);
  const message = first.done ? undefined : first.value.message;
  if (message?.case !== 'hello') {
    throw new ConnectError('the stream must open with hello', Code.InvalidArgument);
  }
  const hello = message.value;
  for (const field of ['node', 'zone', 'release'] as const) {
    if (hello[field].length > longestName) {
      throw new ConnectError(`hello.${field} is too long`, Code.InvalidArgument);
    }
  }
  if (hello.node === '') throw new ConnectError('hello.node is empty', Code.InvalidArgument);
  if (boundNode !== undefined && hello.node !== boundNode) {
    const text = `the token belongs to "${boundNode}", not to "${hello.node}"`;
    throw new ConnectError(text, Code.PermissionDenied);
  }
  return hello;
}

function within<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () =>
      reject(new ConnectError('hello did not arrive in time', Code.DeadlineExceeded));
    const timer = setTimeout(late, milliseconds);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
