/**
 * The part of an nginx configuration that backend and proxy share: one worker in the foreground, everything it
 * writes inside its own folder, connections kept open for as long as a run takes. `connections` are those of both sides.
 */
export function nginxConf(http: readonly string[], asRoot: boolean, connections = 8192): string {
  return [
    // Started by root, nginx would switch its worker to a user that may not exist or not reach the folder.
    ...(asRoot ? ['user root;'] : []),
    'daemon off;',
    'worker_processes 1;',
    `worker_rlimit_nofile ${2 * connections};`,
    'pid nginx.pid;',
    'error_log stderr warn;',
    `events { worker_connections ${connections}; multi_accept on; }`,
    'http {',
    '  access_log off;',
    '  sendfile on;',
    '  tcp_nopush on;',
    '  tcp_nodelay on;',
    '  keepalive_timeout 1h;',
    '  keepalive_time 24h;',
    '  keepalive_requests 1000000000;',
    ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `  ${name}_temp_path ${name};`,
    ),
    ...http.map((line) => `  ${line}`),
    '}',
    '',
  ].join('\n');
}

/** The arguments that make nginx read `nginx.conf` in a folder and keep to that folder. */
export function nginxArguments(folder: string): string[] {
  return ['-p', folder, '-e', 'stderr', '-c', 'nginx.conf'];
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}
