/** The import rules of docs/ARCHITECTURE.md, checked by `npm run layers`. @type {import('dependency-cruiser').IConfiguration} */
const only = (name, packages, from) => ({
  name,
  severity: 'error',
  comment: `${packages} comes in at one door`,
  from: { path: '^src', pathNot: from },
  to: { path: packages },
});
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'core-is-pure',
      severity: 'error',
      comment:
        'The core takes values and returns values; it never reaches for a server, a session, a file or the clock.',
      from: { path: '^src/(openai|decision|rewrite|signals|extproc/machine|ml/heads|route)' },
      to: {
        path: '^(src/(api|cli|service|extproc/(server|wire)|ml/(session|pool|worker|bundle)|observability/(metrics|tracing|log)|config/(store|load|locate))|node_modules)',
        pathNot: 'node_modules/(libphonenumber-js|gpt-tokenizer)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'core-reads-no-files',
      severity: 'error',
      from: { path: '^src/(openai|decision|rewrite|signals|extproc/machine|ml/heads|route)' },
      to: { path: '^(fs|net|http|http2|child_process|worker_threads|dns)' },
    },
    {
      name: 'nobody-imports-the-shell',
      severity: 'error',
      from: { path: '^src', pathNot: '^src/(cli|service)' },
      to: { path: '^src/(cli/|service)' },
    },
    only('grpc-only-in-extproc', 'node_modules/@grpc', '^src/extproc'),
    only('onnx-only-in-session', 'node_modules/onnxruntime', '^src/ml/session'),
    only('tokenizer-only-in-tokenizer', 'node_modules/@huggingface', '^src/ml/tokenizer'),
    only('http-only-in-api', 'node_modules/(@hono|hono)', '^src/api'),
    only('yaml-only-in-config', 'node_modules/js-yaml', '^src/(config|cli|envoy)'),
    only('zod-only-in-config', 'node_modules/zod', '^src/(config|api)'),
    only('prom-only-in-metrics', 'node_modules/prom-client', '^src/observability/metrics'),
    only('otel-only-in-tracing', 'node_modules/@opentelemetry', '^src/observability/tracing'),
    only('patterns-at-one-door', 'node_modules/re2js', '^src/config/pattern'),
    only('phones-only-in-pii', 'node_modules/libphonenumber-js', '^src/signals/pii'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
  },
};
