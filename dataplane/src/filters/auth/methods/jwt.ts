import { LinkFault } from '../../filter.ts';
import type { LinkMethod } from '../method.ts';

export const linkJwt: LinkMethod<'jwt'> = () => {
  throw new LinkFault('', 'is not there yet');
};
