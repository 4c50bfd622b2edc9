// tsc emits only code: the files that dist needs beside it are copied here.
import { cpSync, mkdirSync, chmodSync, existsSync } from 'node:fs';

mkdirSync('dist', { recursive: true });
for (const [from, to] of [['src/dashboard', 'dist/dashboard']])
  if (existsSync(from)) cpSync(from, to, { recursive: true });
if (existsSync('dist/cli/main.js')) chmodSync('dist/cli/main.js', 0o755);
