/** The core that has nothing but the proxy under test. */
export const proxyCore = 0;

/** The core that load generator and backend share. */
export const loadCore = 1;
