import { test } from 'vitest';
import {
  checkConversionBounds,
  checkPrimes,
  checkTextBounds,
  checkTransformBounds,
} from '../../literature/check-constants.ts';

test('the primes, their roots and the moduli are what the literature says', () => checkPrimes());
test('no sum of a transform or a leaf leaves its word', () => checkTransformBounds());
test('no column of the radix conversion leaves its double or its word', () => checkConversionBounds());
test('the reciprocals of the digits are exact where they are used', () => checkTextBounds());
