// End-to-end tests run against the clock of a machine that may be busy with something else: a real fault fails every time.
import { expect, jest } from '@jest/globals';

if (process.env.CI === 'true' && expect.getState().testPath?.includes('/test/e2e/'))
  jest.retryTimes(2, { logErrorsBeforeRetry: true });
