/** One whole process: n, threads, file → the digits of n! in the file, as the command line tool does it. */
import { computeFactorial, defaultBudget, FileSink } from '@factorial/compute';

const [n = '', threads = '2', path = ''] = process.argv.slice(2);
const result = await computeFactorial(n, { budget: defaultBudget({ threads: Number(threads), engine: 'decimal' }) });
await new FileSink(path).write({ digits: result.digits(), digitCount: result.digitCount });
