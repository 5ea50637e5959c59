import { KubeConfig } from '@kubernetes/client-node';
import { reasonOf } from './api-fault.ts';

/**
 * The cluster that a kubeconfig file names, or the one that this process runs in when none is given.
 * @throws Error that says what to do.
 */
export function loadKubeConfig(file: string | undefined): KubeConfig {
  const config = new KubeConfig();
  if (file !== undefined) {
    try {
      config.loadFromFile(file);
    } catch (error) {
      throw new Error(`Cannot use the file of --kubeconfig: ${reasonOf(error)}`);
    }
    return config;
  }
  if (process.env.KUBERNETES_SERVICE_HOST === undefined) {
    throw new Error(
      'Cannot find the API server: this is no pod of a cluster; give --kubeconfig FILE',
    );
  }
  config.loadFromCluster();
  return config;
}
