/** Something that does not work at run time although it was linked. */
export type Trouble = {
  /** Name of the Policy resource that it concerns. */
  policy: string;
  path: string;
  reason: string;
  /** It works as it should, and that is worth knowing. */
  notice?: boolean;
};

/** Troubles of a thread. `tell` gets the whole list whenever it has changed. */
export type Health = {
  /** Sets or, with undefined, clears what `source` reports. */
  set(source: string, trouble: Trouble | undefined): void;
};

export function createHealth(tell: (troubles: Trouble[]) => void): Health {
  const troubles = new Map<string, Trouble>();
  return {
    set(source, trouble) {
      const before = troubles.get(source);
      if (trouble === undefined) {
        if (!troubles.delete(source)) return;
      } else {
        if (before?.reason === trouble.reason && before.policy === trouble.policy) return;
        troubles.set(source, trouble);
      }
      tell([...troubles.values()]);
    },
  };
}
