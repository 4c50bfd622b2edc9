import { isIP } from 'node:net';
import type { JsonObject } from './xds.ts';

/** Where something listens or is reached. An IPv6 host has no brackets here. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** "H:P" or "[v6]:P" → host and port; null when it is not that, or the port is not 0..65535. */
export function parseHostPort(text: string): HostPort | null {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65535) return null;
  if (match?.[1] !== undefined && isIP(host) !== 6) return null;
  return { host, port };
}

/** `ip:port`, IPv6 in brackets: the form of endpoint lists and Host headers. */
export function formatHostPort({ host, port }: HostPort): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}

/** The address to connect to for something that listens on `at`: "every interface" is reached by loopback. */
export function reachable(at: HostPort): HostPort {
  if (at.host === '0.0.0.0') return { host: '127.0.0.1', port: at.port };
  return at.host === '::' ? { host: '::1', port: at.port } : at;
}

/** Envoy's form of an address. */
export function socketAddress({ host, port }: HostPort): JsonObject {
  return { socket_address: { address: host, port_value: port } };
}

/** How Envoy finds the hosts of a cluster: an IP address as it is, a name by DNS (IPv4 first, since few servers listen on both). */
export function discoveryType(hosts: readonly string[]): JsonObject {
  return hosts.every((host) => isIP(host) !== 0)
    ? { type: 'STATIC' }
    : { type: 'STRICT_DNS', dns_lookup_family: 'V4_PREFERRED' };
}
