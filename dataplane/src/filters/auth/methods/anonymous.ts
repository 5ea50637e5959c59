import { anonymous } from '../identity.ts';
import type { LinkMethod } from '../method.ts';

/** Everybody who brings no credential that another method reads. */
export const linkAnonymous: LinkMethod<'anonymous'> = () => ({
  name: 'anonymous',
  challenge: '',
  attempt: () => ({ kind: 'identified', identity: anonymous }),
});
