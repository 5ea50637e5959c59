/** Command-line flags as the programs of Kubernetes and etcd take them. */
export function flagsOf(flags: Readonly<Record<string, string>>): string[] {
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
}
