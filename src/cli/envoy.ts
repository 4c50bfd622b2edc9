import { Command } from 'commander';
import { reachable, type HostPort } from '../envoy/address.ts';
import { envoyYaml } from '../envoy/bootstrap.ts';
import { requireConfig } from './config-file.ts';
import { addressOption, configOption } from './options.ts';

interface EnvoyOptions {
  readonly config: string;
  readonly listen: HostPort;
  readonly admin: HostPort;
  readonly grpc: HostPort;
  readonly http: HostPort;
}

/** `switchyard envoy`: Envoy's bootstrap for a config, as YAML on standard output. */
export function envoyCommand(): Command {
  return new Command('envoy')
    .description("Prints Envoy's bootstrap (YAML) for a config.")
    .addOption(configOption())
    .addOption(addressOption('listen', 'where Envoy takes requests', '0.0.0.0:8801'))
    .addOption(addressOption('admin', "Envoy's admin interface", '127.0.0.1:9901'))
    .addOption(addressOption('grpc', 'where Envoy reaches the router (ext_proc)', '127.0.0.1:50051'))
    .addOption(addressOption('http', "where Envoy reaches the router's API", '127.0.0.1:8080'))
    .action(async ({ config, listen, admin, grpc, http }: EnvoyOptions) => {
      const registry = await requireConfig(config);
      process.stdout.write(envoyYaml({ registry, listen, admin, grpc: reachable(grpc), http: reachable(http) }));
    });
}
