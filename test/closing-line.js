// Prints the counts alone on the last line, so that whoever runs the tests need not parse a report.
export default class ClosingLine {
  onRunComplete(_contexts, results) {
    // A suite that fails to load has no tests to count: it is one failure.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests > 0 ? `, ${results.numPendingTests} skipped` : '';
    process.stderr.write('');
    setImmediate(() => process.stdout.write(`\n${results.numPassedTests} passed, ${failed} failed${skipped}\n`));
  }
}
