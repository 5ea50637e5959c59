import { auth } from './auth.ts';

/** Every kind of policy. */
export const policyDefinitions = { AuthPolicy: auth };
