import { InvalidArgumentError, Option } from 'commander';
import { parseHostPort, type HostPort } from '../envoy/address.ts';

/** `--config F`; every command that needs one takes it by this name. */
export function configOption(): Option {
  return new Option('--config <file>', "the router's YAML config").makeOptionMandatory();
}

/** An option that takes HOST:PORT. */
export function addressOption(name: string, description: string, fallback: string): Option {
  return new Option(`--${name} <host:port>`, description).argParser(hostPort).default(hostPort(fallback), fallback);
}

/** The same, or the word `off`: false, since commander turns a parsed null into ''. */
export function optionalAddressOption(name: string, description: string, fallback: string): Option {
  return new Option(`--${name} <host:port|off>`, description)
    .argParser((text: string) => (text === 'off' ? false : hostPort(text)))
    .default(hostPort(fallback), fallback);
}

function hostPort(text: string): HostPort {
  const parsed = parseHostPort(text);
  if (parsed === null) throw new InvalidArgumentError('Write HOST:PORT, like 127.0.0.1:8080 or [::1]:8080.');
  return parsed;
}
