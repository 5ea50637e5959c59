import { describe, expect, it } from 'vitest';
import { WaitingLine } from './waiting-line.ts';

/** Waits until the line has looked. */
const looked = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('a waiting line', () => {
  it('lets Routes take turns, and each of them first come, first served', async () => {
    const line = new WaitingLine();
    const order: string[] = [];
    let room = 0;
    for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1']) {
      line.join(
        name.slice(0, 1),
        () => {
          if (room === 0) return false;
          room--;
          order.push(name);
          return true;
        },
        undefined,
      );
    }
    for (let i = 0; i < 7; i++) {
      room = 1;
      line.look();
      await looked();
    }
    expect(order).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4']);
    expect(line.length).toBe(0);
  });

  it('passes over those whom what is there will not do', async () => {
    const line = new WaitingLine();
    const served: string[] = [];
    line.join('a', () => false, undefined);
    line.join('a', () => served.push('second') > 0, undefined);
    line.look();
    await looked();
    expect(served).toEqual(['second']);
    expect(line.length).toBe(1);
  });

  it('serves as many as there is room for, after those who are at work', async () => {
    const line = new WaitingLine();
    let room = 2;
    const serve = () => room-- > 0;
    for (let i = 0; i < 4; i++) line.join('a', serve, undefined);
    line.look();
    expect(line.length).toBe(4);
    await looked();
    expect(line.length).toBe(2);
  });

  it('is left once', async () => {
    const line = new WaitingLine();
    const leave = line.join('a', () => true, undefined);
    line.look();
    await looked();
    expect(line.length).toBe(0);
    leave?.();
    leave?.();
    expect(line.length).toBe(0);
  });

  it('is full at some time', () => {
    const line = new WaitingLine();
    let joined = 0;
    while (line.join('a', () => false, undefined)) joined++;
    expect(joined).toBe(1024);
  });
});
