import { serveUntilInterrupted } from '../../listen.ts';
import { shopBackends } from './shop.ts';

/** `npm run example:shop`: the backends of the shop, until Ctrl-C. */
await serveUntilInterrupted(shopBackends());
