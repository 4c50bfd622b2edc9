#!/usr/bin/env node
import { run } from './program.ts';

// `switchyard envoy --config F | head` closes our output early: that is the reader's wish, not a failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const code = await run(process.argv.slice(2));
if (code !== 0) process.exitCode = code;
